import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import { keyManager } from "../core/key-manager.ts";
import { keyManagerRecord } from "../core/key-managers.ts";
import { notFound } from "../core/resource-changes.ts";
import { startSession } from "../core/sessions.ts";
import type { SsoSettings } from "../core/sign-in-settings.ts";
import { signInBySso } from "../core/sso-users.ts";
import type { SsoClient } from "../identity/sso/sso-client.ts";
import type { SsoServer } from "../identity/sso/sso-server.ts";
import { ssoTimeMs } from "../identity/sso/sso-state.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";
import { cookieForm, readCookie, sessionCookie, sessionSecretOf, setCookie } from "./session-cookie.ts";
import { signedInPage } from "./signed-in-page.ts";

/** Signing in with key managers. */
export function ssoRoutes(): readonly ControlRoute[] {
  return [listRoute(), beginRoute(), callbackRoute()];
}

const path = "/api/v1/session/sso";
const stateCookie = "gatehouse-sso";
const common = { tag: "Session", access: "public", method: "get" } as const;

const waysSchema = z.strictObject({ items: z.array(z.strictObject({ keyManager: z.string(), path: z.string() })) });
const ways = schemaComponent("SignInWays", waysSchema, "output");

function listRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path,
    operationId: "listSignInWays",
    summary: "The key managers that people can sign in with",
    answers: { 200: { description: "Where to send a browser for each.", schema: ways } },
    async handle({ context }) {
      const names = Object.keys(context.signIn?.sso ?? {});
      return jsonAnswer(200, { items: names.map((name) => ({ keyManager: name, path: `${path}/${name}` })) });
    },
  });
}

function beginRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path: `${path}/{name}`,
    operationId: "beginSso",
    summary: "Sends a browser to the key manager; `return_to` is the path to come back to",
    answers: { 302: { description: "To the key manager." } },
    async handle(call) {
      const form = cookieForm(call.options.controlUrl, call.url);
      const returnTo = ownPath(call.url.searchParams.getAll("return_to"), call.options.controlUrl);
      const { client, server } = await ssoOf(call);
      const { url, sealed } = await client.begin(server, returnTo);
      // Lax: the way back is a link of another site's.
      const maxAgeSeconds = ssoTimeMs / 1_000;
      const cookie = setCookie(form, { name: stateCookie, value: sealed, sameSite: "Lax", maxAgeSeconds });
      return new Response(null, { status: 302, headers: { location: url, "set-cookie": cookie } });
    },
  });
}

function callbackRoute(): ControlRoute {
  return defineRoute({
    ...common,
    path: `${path}/{name}/callback`,
    operationId: "finishSso",
    summary: "Where the key manager sends the browser back to: sets the session cookie",
    answers: { 200: { description: "A page that goes on to `return_to`.", mediaType: "text/html" } },
    async handle(call) {
      const form = cookieForm(call.options.controlUrl, call.url);
      const { client, server, settings } = await ssoOf(call);
      const sealed = readCookie(form, call.header("cookie"), stateCookie);
      const { returnTo, ...person } = await client.finish(server, sealed, call.url.searchParams);
      const user = await signInBySso(call.context, server.name, settings, person);
      const { secret } = await startSession(call.context, user, {
        method: server.name,
        userAgent: call.header("user-agent") ?? "",
        origin: call.actor.origin ?? { requestId: "", clientAddress: "" },
        replaced: sessionSecretOf(call.options, call.url, call.header("cookie")),
      });
      const page = signedInPage(returnTo);
      const spent = { name: stateCookie, value: "", sameSite: "Lax", maxAgeSeconds: 0 } as const;
      page.headers.append("set-cookie", setCookie(form, { name: sessionCookie, value: secret, sameSite: "Strict" }));
      page.headers.append("set-cookie", setCookie(form, spent));
      return page;
    },
  });
}

interface Sso {
  readonly client: SsoClient;
  readonly server: SsoServer;
  readonly settings: SsoSettings;
}

async function ssoOf({ context, options, params }: ControlCall): Promise<Sso> {
  const name = nameOf({ params });
  const all = context.signIn?.sso ?? {};
  const settings = Object.hasOwn(all, name) ? all[name] : undefined;
  const row = await context.catalog.read.resources.find(keyManager.kind, name);
  if (settings === undefined || row === undefined || options.sso === undefined) throw notFound("KeyManager", name);
  const spec = keyManager.spec.parse(row.spec);
  const issuer = spec.enabled ? await issuerOf(context, row) : undefined;
  if (issuer === undefined) throw notFound("KeyManager", name);
  const { clientId, clientSecret, scopes, rolesClaim } = settings;
  const discoveryUrl = spec.with["discoveryUrl"];
  const server: SsoServer = {
    name,
    issuer,
    discoveryUrl: typeof discoveryUrl === "string" ? discoveryUrl : undefined,
    clientId,
    clientSecret,
    scopes,
    rolesClaim,
    redirectUri: `${options.controlUrl.replace(/\/+$/, "")}${path}/${name}/callback`,
  };
  return { client: options.sso, server, settings };
}

type KeyManagerRow = Parameters<typeof keyManagerRecord>[2];

async function issuerOf(context: CoreContext, row: KeyManagerRow): Promise<string | undefined> {
  const record = await keyManagerRecord(context, context.catalog.read, row);
  if (context.keyManagers === undefined) return undefined;
  await using connector = context.keyManagers.open(record);
  return connector.issuers[0];
}

/** A path of our own to come back to, `/` where none was said. Anything that could lead elsewhere is `request.invalid`. */
function ownPath(given: readonly string[], controlUrl: string): string {
  const [wanted = "/", ...others] = given;
  const isPath = /^\/(?![/\\])[\x21-\x7e]{0,1000}$/.test(wanted) && !wanted.includes("\\");
  if (isPath && others.length === 0 && URL.parse(wanted, controlUrl)?.origin === new URL(controlUrl).origin)
    return wanted;
  throw new GatewayError("request.invalid", "return_to is a path of this address, such as /apis.");
}
