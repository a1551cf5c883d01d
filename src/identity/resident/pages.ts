import type { Html } from "./html.ts";
import { html } from "./html.ts";
import type { Page } from "./page.ts";
import { page } from "./page.ts";

/** What every form carries: where it goes, and the proof that it came from a page of ours in this browser. */
export interface FormSecurity {
  readonly action: string;
  readonly csrf: string;
}

/** Asks who it is. `problem` is why the last try failed. */
export function logInPage(
  form: FormSecurity & { readonly name: string; readonly client: string; readonly problem: string | undefined },
): Page {
  return page(
    "Log in",
    html`<h1>Log in</h1>
<p>to go on to <strong>${form.client}</strong></p>
${form.problem === undefined ? undefined : html`<p class="alert" role="alert">${form.problem}</p>`}
<form method="post" action="${form.action}">
${hidden(form, "log-in")}
<label>Name <input name="name" value="${form.name}" autocomplete="username" required maxlength="200"></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required maxlength="1000"></label>
<button>Log in</button>
</form>
${cancelForm(form, "Cancel")}`,
  );
}

export interface ConsentRequest extends FormSecurity {
  /** What the client calls itself. */
  readonly client: string;
  /** False for a client that registered itself: anybody may call himself anything. */
  readonly isVouchedFor: boolean;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly user: string;
  readonly apis: readonly { readonly title: string; readonly resource: string; readonly scopes: readonly string[] }[];
  readonly identityScopes: readonly string[];
}

/** Asks whether a client may act for a person, and says what it is about and where the answer goes. */
export function consentPage(request: ConsentRequest): Page {
  const apis = request.apis.map(
    ({ title, resource, scopes }) => html`<dt>API</dt><dd>${title}<br><small>${resource}</small></dd>
${scopes.length === 0 ? undefined : html`<dt>Scopes</dt><dd>${scopes.join(", ")}</dd>`}
`,
  );
  const about = request.identityScopes.map((scope) => identityTexts[scope] ?? scope).join(", ");
  return page(
    "Allow access?",
    html`<h1>Allow <strong>${request.client}</strong> to act for you?</h1>
${request.isVouchedFor ? undefined : html`<p class="note">This application registered itself, and nobody has checked its name. Allow it only if you have just started it yourself.</p>`}
<dl>
<dt>You are</dt><dd>${request.user}</dd>
${apis}
${about === "" ? undefined : html`<dt>It learns</dt><dd>${about}</dd>`}
<dt>The answer goes to</dt><dd><strong>${redirectHost(request.redirectUri)}</strong></dd>
<dt>Client</dt><dd><small>${request.clientId}</small></dd>
</dl>
<form method="post" action="${request.action}">
${hidden(request, "allow")}
<button>Allow</button>
</form>
${cancelForm(request, "Deny")}`,
    { formTargets: formTargets(request.redirectUri) },
  );
}

/** Asks whether to log out. `form` is the library's own, with its own proof of origin. */
export function logOutPage(form: Html): Page {
  return page(
    "Log out",
    html`<h1>Log out?</h1>
${form}
<button type="submit" form="op.logoutForm" value="yes" name="logout">Log out</button>
<button type="submit" form="op.logoutForm" class="quiet">Stay</button>`,
  );
}

/** A sentence or two, with nothing to do. */
export function messagePage(title: string, text: string): Page {
  return page(title, html`<h1>${title}</h1><p>${text}</p>`);
}

/** Where a redirect leads, for people: a host, or the scheme of an application on this machine. */
export function redirectHost(redirectUri: string): string {
  const url = URL.parse(redirectUri);
  if (url === null) return redirectUri;
  return url.host === "" ? `${url.protocol} (an application on your device)` : url.host;
}

const identityTexts: Readonly<Record<string, string>> = {
  openid: "who you are",
  profile: "your name",
  email: "your e-mail address",
  offline_access: "it may go on while you are away",
};

function hidden({ csrf }: FormSecurity, answer: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="answer" value="${answer}">`;
}

function cancelForm(form: FormSecurity, text: string): Html {
  return html`<form method="post" action="${form.action}">
${hidden(form, "deny")}
<button class="quiet">${text}</button>
</form>`;
}

/** The sources that a redirect after the form leads to; without them browsers stop there. */
function formTargets(redirectUri: string): readonly string[] {
  const url = URL.parse(redirectUri);
  if (url === null) return [];
  const source = /^https?:$/.test(url.protocol) ? url.origin : url.protocol;
  return /^[a-z0-9+.:/[\]-]+$/i.test(source) ? [source] : [];
}
