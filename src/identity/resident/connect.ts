import { randomBytes } from "node:crypto";
import type { Context, Provider, Session } from "oidc-provider";
import { errors } from "oidc-provider";
import { mcpServer } from "../../core/mcp-server.ts";
import { allowUpstreamClient } from "../../core/upstream-vault.ts";
import { equalInConstantTime, hmacSha256 } from "../../kernel/crypto.ts";
import { toGatewayError } from "../../kernel/errors.ts";
import type { AuthorizationFlow, ConsentPlan } from "../upstream/authorization-flow.ts";
import { authorizationMs, flowId } from "../upstream/authorization-flow.ts";
import type { ConsentTicket } from "../upstream/consent-ticket.ts";
import { factsOf } from "./client-facts.ts";
import { connectPage } from "./connect-pages.ts";
import type { ConnectPerson } from "./connect-person.ts";
import { personFor } from "./connect-person.ts";
import type { Page } from "./page.ts";
import { logInPage, messagePage } from "./pages.ts";
import { readForm } from "./read-form.ts";
import type { ResidentOptions } from "./resident-options.ts";
import { tryLogIn } from "./try-log-in.ts";

/** What the pages for upstream servers are made of. */
export interface ConnectParts {
  readonly flow: AuthorizationFlow;
  openTicket(text: string | undefined): ConsentTicket | undefined;
  /** The gateway's own client id metadata document. */
  document(): Readonly<Record<string, unknown>>;
}

const connectPath = /^\/connect\/([a-z0-9-]{1,63})$/;

/**
 * Serves the pages on which people consent to the use of upstream servers, `/connect/{server}` and `/connected`, and the
 * gateway's own metadata document at `/client.json`, below the issuer's path.
 */
export function addConnectPages(
  provider: Provider,
  options: ResidentOptions,
  residentId: string,
  parts: ConnectParts,
): void {
  const tools: ConnectTools = { provider, options, residentId, parts };
  provider.use(async (call, next) => {
    const name = connectPath.exec(call.path)?.[1];
    if (call.path === "/client.json") return sendDocument(call, parts);
    if (name === undefined && call.path !== "/connected") return next();
    try {
      await (name === undefined ? finish(tools, call) : connect(tools, call, name));
    } catch (error) {
      sendFault(tools, call, error);
    }
  });
}

interface ConnectTools {
  readonly provider: Provider;
  readonly options: ResidentOptions;
  readonly residentId: string;
  readonly parts: ConnectParts;
}

async function connect(tools: ConnectTools, call: Context, name: string): Promise<void> {
  const { options, provider, parts } = tools;
  if (call.method !== "GET" && call.method !== "POST") throw new errors.InvalidRequest("use GET or POST", 405);
  const session = await provider.Session.get(call);
  const text = ticketText(call.querystring);
  const action = `${new URL(options.issuer).pathname}/connect/${name}${text === undefined ? "" : `?ticket=${text}`}`;
  const csrf = formProof(tools, call, `${session.accountId ?? ""}/${action}`);
  const fields = call.method === "POST" ? await readForm(call.req) : undefined;
  if (fields !== undefined && !equalInConstantTime(Buffer.from(fields.get("csrf") ?? ""), Buffer.from(csrf))) {
    throw new errors.InvalidRequest("the form is not of this page", 403);
  }
  if (fields?.get("answer") === "deny")
    return send(call, 200, messagePage("Not connected", "You can close this page."));
  const user =
    session.accountId === undefined ? undefined : await options.context.catalog.read.users.findById(session.accountId);
  if (user === undefined || user.disabled) return logIn(tools, call, session, { action, csrf, name }, fields);
  const ticket = text === undefined ? await ownTicket(tools, name, user.id) : parts.openTicket(text);
  const plan = ticket && (await planOf(tools, ticket, name));
  if (plan === undefined) {
    return send(
      call,
      404,
      messagePage("Nothing to connect", "This link is out of date. Use the server again to get another."),
    );
  }
  const person = await personFor(options.context, user, plan.ticket.holder, tools.residentId);
  if (person === undefined) {
    const problem = `You are logged in as ${user.displayName ?? user.name}, and this link was made for somebody else.`;
    return send(call, 403, messagePage("Not your link", problem));
  }
  if (fields === undefined) return show(tools, call, plan, person, { action, csrf });
  return allow(tools, call, plan, person);
}

/** The ticket as it came; it goes back into addresses, so anything else than its own letters makes it none. */
function ticketText(query: string): string | undefined {
  const given = new URLSearchParams(query).get("ticket");
  return given === null ? undefined : /^[\w.-]{1,8192}$/.test(given) ? given : "none";
}

/** A ticket for one's own account, of somebody who comes without one. */
async function ownTicket(
  { options, residentId }: ConnectTools,
  name: string,
  userId: string,
): Promise<ConsentTicket | undefined> {
  const { catalog, clock } = options.context;
  const api = await catalog.read.resources.find(mcpServer.kind, name);
  if (api === undefined) return undefined;
  const holder = { type: "user", keyManagerId: residentId, subject: userId } as const;
  return { apiId: api.id, environment: "production", holder, client: "", untilMs: clock.now() + authorizationMs };
}

async function planOf({ parts }: ConnectTools, ticket: ConsentTicket, name: string): Promise<ConsentPlan | undefined> {
  const plan = await parts.flow.plan(ticket);
  const isItsHolders = plan?.upstream.auth.per === plan?.ticket.holder.type;
  return plan?.upstream.name === name && isItsHolders ? plan : undefined;
}

async function show(
  { provider, options }: ConnectTools,
  call: Context,
  { ticket, upstream, protection, scopes, present }: ConsentPlan,
  person: ConnectPerson,
  form: { readonly action: string; readonly csrf: string },
): Promise<void> {
  const client = ticket.client === "" ? undefined : await provider.Client.find(ticket.client).catch(() => undefined);
  const shown =
    ticket.client === ""
      ? undefined
      : {
          id: ticket.client,
          name: client?.clientName ?? (client && factsOf(client).name) ?? ticket.client,
          isVouchedFor: client?.gatehouse !== undefined && !ticket.client.startsWith("dyn_"),
        };
  const page = connectPage({
    ...form,
    title: upstream.title,
    user: person.name,
    application: person.application,
    client: shown,
    upstreamUrl: upstream.url,
    issuer: protection.server.issuer,
    scopes,
    authorizationUrl: present === undefined ? protection.server.authorizationEndpoint : undefined,
  });
  options.context.log.debug({ api: upstream.name }, "a consent is asked for");
  send(call, 200, page);
}

async function allow(tools: ConnectTools, call: Context, plan: ConsentPlan, person: ConnectPerson): Promise<void> {
  const { parts, options } = tools;
  const { present, ticket, upstream } = plan;
  if (present !== undefined && (await allowUpstreamClient(options.context, person.actor, present.id, ticket.client))) {
    return send(call, 200, connected(upstream.title));
  }
  const started = await parts.flow.begin(plan, person.actor.id);
  call.cookies.set(`${cookiePrefix(options)}connect_${started.id}`, started.sealed, {
    ...cookieOptions(options, "/connected"),
    maxAge: authorizationMs,
  });
  call.set("cache-control", "no-store");
  call.set("referrer-policy", "no-referrer");
  call.status = 303;
  call.redirect(started.url);
}

async function finish(tools: ConnectTools, call: Context): Promise<void> {
  const { options, provider, parts } = tools;
  if (call.method !== "GET") throw new errors.InvalidRequest("use GET", 405);
  const answer = new URLSearchParams(call.querystring);
  const name = `${cookiePrefix(options)}connect_${flowId(answer.get("state") ?? "")}`;
  const sealed = call.cookies.get(name, { signed: true });
  call.cookies.set(name, null, cookieOptions(options, "/connected"));
  const session = await provider.Session.get(call);
  const title = await parts.flow.finish(sealed, answer, { type: "user", id: session.accountId ?? "" });
  send(call, 200, connected(title));
}

function connected(title: string): Page {
  return messagePage("Connected", `${title} can be used now. You can close this page and go back to your application.`);
}

async function logIn(
  { provider, options }: ConnectTools,
  call: Context,
  session: Session,
  form: { readonly action: string; readonly csrf: string; readonly name: string },
  fields: URLSearchParams | undefined,
): Promise<void> {
  const ask = (status: number, name: string, problem: string | undefined): void =>
    send(call, status, logInPage({ ...form, name, problem, client: form.name }));
  if (fields === undefined) return ask(200, "", undefined);
  const tried = await tryLogIn(options, call.ip, fields);
  if (!("user" in tried)) return ask(tried.status, tried.name, tried.problem);
  session.resetIdentifier(); // what the browser had before it was logged in is worth nothing
  session.loginAccount({ accountId: tried.user.id, amr: ["pwd"] });
  await session.save(sessionSeconds);
  const isSecure = options.issuer.startsWith("https:");
  const cookie = { httpOnly: true, sameSite: "lax", secure: isSecure, signed: true, path: "/" } as const;
  call.cookies.set(provider.cookieName("session"), session.id, cookie);
  call.status = 303;
  call.redirect(form.action);
}

const sessionSeconds = 86_400;

/** Proves that a form was made for this browser, this account and this address. */
function formProof({ options }: ConnectTools, call: Context, about: string): string {
  const name = `${cookiePrefix(options)}connect`;
  const known = call.cookies.get(name, { signed: true });
  const browser = known ?? randomBytes(24).toString("base64url");
  if (known === undefined) call.cookies.set(name, browser, cookieOptions(options, "/connect"));
  return hmacSha256(options.cookieKey, `connect/${browser}/${about}`).toString("base64url");
}

function cookiePrefix({ issuer }: ResidentOptions): string {
  return issuer.startsWith("https:") ? "__Secure-gh_" : "gh_";
}

function cookieOptions({ issuer }: ResidentOptions, path: string) {
  const secure = issuer.startsWith("https:");
  return { httpOnly: true, sameSite: "lax", secure, signed: true, path: new URL(issuer).pathname + path } as const;
}

function sendDocument(call: Context, { document }: ConnectParts): void {
  call.set("cache-control", "public, max-age=3600");
  call.set("access-control-allow-origin", "*");
  call.type = "application/json";
  call.body = JSON.stringify(document());
}

function sendFault({ options }: ConnectTools, call: Context, error: unknown): void {
  const { statusCode } = error as { statusCode?: number }; // the library's errors carry one
  if (statusCode !== undefined && statusCode < 500) {
    return send(call, statusCode, messagePage("That did not work", "This page is out of date. Begin again."));
  }
  const { code, detail, message } = toGatewayError(error);
  options.context.log.warn({ code, detail, err: error }, "an upstream was not connected");
  send(call, code === "auth.forbidden" ? 403 : 502, messagePage("Not connected", message));
}

function send(call: Context, status: number, { body, headers }: Page): void {
  call.status = status;
  for (const [name, value] of Object.entries(headers)) call.set(name, value);
  call.body = body;
}
