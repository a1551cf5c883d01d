import type { Context, Interaction, Provider } from "oidc-provider";
import { errors } from "oidc-provider";
import { equalInConstantTime, hmacSha256 } from "../../kernel/crypto.ts";
import { factsOf } from "./client-facts.ts";
import type { Page } from "./page.ts";
import type { FormSecurity } from "./pages.ts";
import { consentPage, logInPage, messagePage } from "./pages.ts";
import { findProtectedApi } from "./protected-apis.ts";
import { readForm } from "./read-form.ts";
import type { ResidentOptions } from "./resident-options.ts";
import { baseScope } from "./resource-indicators.ts";
import { tryLogIn } from "./try-log-in.ts";

/** Where the library sends a browser when a person has to do something. */
export const interactionPath = /^\/interaction\/([\w-]{1,64})$/;

/** Serves the log-in and consent pages at `/interaction/{uid}`, below the issuer's path. */
export function addInteractions(provider: Provider, options: ResidentOptions): void {
  provider.use(async (call, next) => {
    const uid = interactionPath.exec(call.path)?.[1];
    if (uid === undefined) return next();
    try {
      await interact(provider, options, call, uid);
    } catch (error) {
      const { statusCode = 500 } = error as { statusCode?: number }; // the library's errors carry one
      if (statusCode >= 500) options.context.log.error({ err: error }, "a page of the authorization server failed");
      const text =
        statusCode >= 500
          ? "Something went wrong. Try again."
          : "This page is out of date. Go back to the application and begin again.";
      send(call, statusCode, messagePage("That did not work", text));
    }
  });
}

async function interact(provider: Provider, options: ResidentOptions, call: Context, uid: string): Promise<void> {
  const interaction = await provider.interactionDetails(call.req, call.res);
  if (interaction.uid !== uid) throw new errors.InvalidRequest("another page's cookie");
  const action = `${new URL(options.issuer).pathname}/interaction/${uid}`;
  // Bound to the interaction, whose id only this browser has as a cookie.
  const csrf = hmacSha256(options.cookieKey, `form/${uid}/${interaction.prompt.name}`).toString("base64url");
  const form = { action, csrf };
  if (call.method === "GET" || call.method === "HEAD") {
    return send(call, 200, await show(provider, options, interaction, form));
  }
  if (call.method !== "POST") throw new errors.InvalidRequest("use GET or POST", 405);
  const fields = await readForm(call.req);
  if (!equalInConstantTime(Buffer.from(fields.get("csrf") ?? ""), Buffer.from(csrf))) {
    throw new errors.InvalidRequest("the form is not of this page", 403);
  }
  if (fields.get("answer") === "deny") {
    const denied = { error: "access_denied", error_description: "the person said no" };
    return finish(provider, call, denied, false);
  }
  if (interaction.prompt.name === "login") return logIn(provider, options, call, interaction, form, fields);
  return finish(provider, call, { consent: { grantId: await grantOf(provider, interaction) } }, true);
}

async function finish(provider: Provider, call: Context, result: Readonly<Record<string, unknown>>, merge: boolean) {
  Reflect.set(call, "respond", false); // Koa's way to say that the response is written here
  await provider.interactionFinished(call.req, call.res, result, { mergeWithLastSubmission: merge });
}

async function logIn(
  provider: Provider,
  options: ResidentOptions,
  call: Context,
  interaction: Interaction,
  form: FormSecurity,
  fields: URLSearchParams,
): Promise<void> {
  const tried = await tryLogIn(options, call.ip, fields);
  if ("user" in tried) return finish(provider, call, { login: { accountId: tried.user.id, amr: ["pwd"] } }, false);
  return send(call, tried.status, await logInFor(provider, interaction, form, tried.name, tried.problem));
}

async function show(provider: Provider, options: ResidentOptions, interaction: Interaction, form: FormSecurity) {
  if (interaction.prompt.name === "login") return logInFor(provider, interaction, form, hintOf(interaction), undefined);
  const client = await clientOf(provider, interaction);
  const { prompt, params, session } = interaction;
  const user = await options.context.catalog.read.users.findById(session?.accountId ?? "");
  const resources = Object.entries(scopesByResource(prompt.details["missingResourceScopes"]));
  const named = resourcesNamed(params["resource"]).filter(
    (resource) => !resources.some(([known]) => known === resource),
  );
  const apis = await Promise.all(
    [...resources, ...named.map((resource) => [resource, []] as const)].map(async ([resource, scopes]) => {
      const api = await findProtectedApi(options.context, options.publicUrl, resource);
      return { title: api?.title ?? resource, resource, scopes: scopes.filter((scope) => scope !== baseScope) };
    }),
  );
  const facts = factsOf(client);
  return consentPage({
    ...form,
    client: client.clientName ?? facts.name,
    isVouchedFor: client.gatehouse !== undefined && !client.clientId.startsWith("dyn_"),
    clientId: client.clientId,
    redirectUri: String(params["redirect_uri"]),
    user: user?.displayName ?? user?.name ?? "somebody",
    apis,
    identityScopes: textsOf(prompt.details["missingOIDCScope"]).filter((scope) => scope !== baseScope),
  });
}

async function logInFor(
  provider: Provider,
  interaction: Interaction,
  form: FormSecurity,
  name: string,
  problem: string | undefined,
): Promise<Page> {
  const client = await clientOf(provider, interaction);
  return logInPage({ ...form, name, problem, client: client.clientName ?? client.clientId });
}

async function clientOf(provider: Provider, { params }: Interaction) {
  const client = await provider.Client.find(String(params["client_id"]));
  if (client === undefined) throw new errors.InvalidRequest("the client is gone");
  return client;
}

async function grantOf(provider: Provider, interaction: Interaction): Promise<string> {
  const { prompt, params, session } = interaction;
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  const grant = known ?? new provider.Grant({ accountId: session?.accountId, clientId: params["client_id"] });
  const identity = textsOf(prompt.details["missingOIDCScope"]);
  if (identity.length > 0) grant.addOIDCScope(identity.join(" "));
  for (const [resource, scopes] of Object.entries(scopesByResource(prompt.details["missingResourceScopes"]))) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  return grant.save();
}

function hintOf({ params }: Interaction): string {
  const hint = params["login_hint"];
  return typeof hint === "string" ? hint.slice(0, 200) : "";
}

function scopesByResource(value: unknown): Readonly<Record<string, readonly string[]>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([resource, scopes]) => [resource, textsOf(scopes)]));
}

function resourcesNamed(value: unknown): readonly string[] {
  return typeof value === "string" ? [value] : textsOf(value);
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function send(call: Context, status: number, { body, headers }: Page): void {
  call.status = status;
  for (const [name, value] of Object.entries(headers)) call.set(name, value);
  call.body = body;
}
