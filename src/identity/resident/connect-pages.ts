import type { Html } from "./html.ts";
import { html } from "./html.ts";
import type { Page } from "./page.ts";
import { page } from "./page.ts";
import type { FormSecurity } from "./pages.ts";

/** What a person is asked before the gateway sends them to an upstream's authorization server. */
export interface ConnectRequest extends FormSecurity {
  /** The MCP server, as its API calls it. */
  readonly title: string;
  readonly user: string;
  /** The application whose account it will be; undefined where it is the user's own. */
  readonly application: string | undefined;
  /** The client of the gateway that will use it. */
  readonly client: { readonly name: string; readonly id: string; readonly isVouchedFor: boolean } | undefined;
  readonly upstreamUrl: string;
  readonly issuer: string;
  readonly scopes: readonly string[];
  /** Where the browser goes next; undefined where nothing more than this consent is wanted. */
  readonly authorizationUrl: string | undefined;
}

/** Asks whether a client may use an upstream in somebody's name, through this gateway. */
export function connectPage(request: ConnectRequest): Page {
  const { title, user, application, client, upstreamUrl, issuer, scopes, authorizationUrl } = request;
  const whose = application === undefined ? "your account" : "an account of the application";
  return page(
    "Connect?",
    html`<h1>Connect <strong>${title}</strong>?</h1>
<p>Through this gateway ${client === undefined ? "your applications" : html`<strong>${client.name}</strong>`} will use ${whose} at <strong>${new URL(upstreamUrl).host}</strong>.</p>
${client === undefined || client.isVouchedFor ? undefined : html`<p class="note">This application registered itself, and nobody has checked its name. Go on only if you have just used it yourself.</p>`}
<dl>
<dt>You are</dt><dd>${user}</dd>
${application === undefined ? undefined : html`<dt>Application</dt><dd>${application}</dd>`}
${client === undefined ? undefined : html`<dt>Client</dt><dd><small>${client.id}</small></dd>`}
<dt>Server</dt><dd>${upstreamUrl}</dd>
<dt>Its authorization server</dt><dd>${issuer}</dd>
<dt>Scopes</dt><dd>${scopes.length === 0 ? "those that it gives by itself" : scopes.join(", ")}</dd>
</dl>
${form(request, "allow", html`<button>${authorizationUrl === undefined ? "Allow" : "Go on"}</button>`)}
${form(request, "deny", html`<button class="quiet">Cancel</button>`)}`,
    { formTargets: authorizationUrl === undefined ? [] : [new URL(authorizationUrl).origin] },
  );
}

function form({ action, csrf }: FormSecurity, answer: string, button: Html): Html {
  return html`<form method="post" action="${action}">
<input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="answer" value="${answer}">
${button}
</form>`;
}
