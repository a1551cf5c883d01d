import type { Context } from "hono";
import { Hono } from "hono";
import { matchedRoutes } from "hono/route";
import type { ActorOrigin, CoreContext } from "../core/core-context.ts";
import type { Denial } from "../core/denial-audit.ts";
import { defaultName } from "../core/resource-changes.ts";
import { scopeCatalog } from "../core/scope-catalog.ts";
import { team } from "../core/team.ts";
import { createAllowedHosts } from "../kernel/allowed-hosts.ts";
import { createCidrSet } from "../kernel/cidr-set.ts";
import { clientAddress } from "../kernel/client-address.ts";
import type { ErrorCode } from "../kernel/error-codes.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import { uuidV7 } from "../kernel/ids.ts";
import type { Caller } from "./caller.ts";
import { findCaller } from "./caller.ts";
import type { ControlEnv } from "./control-env.ts";
import type { ControlOptions } from "./control-options.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { extraPathRoutes } from "./extra-path-routes.ts";
import { readJsonBody } from "./json-body.ts";
import { requireOwnPage } from "./own-page.ts";
import { plainPath } from "./plain-path.ts";
import { problemResponse } from "./problem.ts";
import { routeGuard, routerPath } from "./route-guard.ts";
import { routes } from "./routes.ts";
import { sessionSecretOf } from "./session-cookie.ts";

/**
 * The control plane's HTTP app; the caller listens and hands requests to `fetch`. Every answer carries
 * `x-request-id`, every error is problem+json, and nothing of a request is read before its host and its token are
 * known to be right.
 */
export function createControlApp(options: ControlOptions): Hono<ControlEnv> {
  const app = new Hono<ControlEnv>();
  const table = [...routes(), ...extraPathRoutes(options.extraPaths ?? {})];
  const hosts = createAllowedHosts(options.allowedHosts, options.controlUrl);

  app.use("*", async (context, next) => {
    const startedAt = options.clock.monotonic();
    context.set("requestId", uuidV7(options.clock.now()));
    context.set("clientAddress", addressOf(options, context));
    await next();
    setCommonHeaders(context);
    logRequest(options, context, options.clock.monotonic() - startedAt);
  });
  app.use("*", async (context, next) => {
    const { host } = new URL(context.req.url);
    // Probes ask by whatever address they know (a pod's), and an answer of one word tells a page of others nothing.
    if (!probes.has(context.req.path)) {
      hosts.check([context.req.header("host") ?? host, host], context.req.header("origin"));
    }
    await next();
  });
  app.use("*", plainPath());
  const scoped = scopedContext(options);
  app.use(
    "*",
    routeGuard(app, table, (context) => identify(options, context)),
  );
  for (const route of table) {
    app.on(route.method.toUpperCase(), routerPath(route.path), async (context) =>
      handle({ ...options, context: await scoped(context.get("caller")) }, route, context),
    );
  }
  app.onError((error, context) => answerError(options, error, context));
  return app;
}

const probes: ReadonlySet<string> = new Set(["/livez", "/readyz"]);

const defaultMaxBodyBytes = 10_485_760;
const defaultMaxBodyDepth = 128;

async function identify(options: ControlOptions, context: Context<ControlEnv>): Promise<Caller> {
  const url = new URL(context.req.url);
  const header = (name: string) => context.req.header(name);
  const authorization = header("authorization");
  const sessionSecret = authorization === undefined ? sessionSecretOf(options, url, header("cookie")) : undefined;
  const credentials = { authorization, sessionSecret, origin: originOf(context) };
  const caller = await findCaller(options.context, options.adminTokenHash, credentials);
  if (caller.session !== undefined && !safeMethods.has(context.req.method)) {
    requireOwnPage(options.context, caller.session, url, header);
  }
  return caller;
}

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Gives each caller the catalog that they may see. */
function scopedContext({ context }: ControlOptions): (caller: Caller | undefined) => Promise<CoreContext> {
  let sharedTeamId: string | undefined;
  const signInKeyManagers = Object.keys(context.signIn?.sso ?? {});
  return async (caller) => {
    const rights = caller?.actor.rights;
    if (rights === undefined) return context;
    sharedTeamId ??= (await context.catalog.read.resources.find(team.kind, defaultName))?.id ?? "";
    return { ...context, catalog: scopeCatalog(context.catalog, { rights, sharedTeamId, signInKeyManagers }) };
  };
}

async function handle(options: ControlOptions, route: ControlRoute, context: Context<ControlEnv>): Promise<Response> {
  const url = new URL(context.req.url);
  const call: ControlCall = {
    options,
    context: options.context,
    actor: context.get("actor") ?? { type: "anonymous", id: "anonymous", origin: originOf(context) },
    caller: context.get("caller"),
    params: context.req.param(),
    query: queryOf(url),
    url,
    ifMatch: context.req.header("if-match"),
    header: (name) => context.req.header(name),
    body: () =>
      readJsonBody(context.req.raw, {
        maxBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
        maxDepth: options.maxBodyDepth ?? defaultMaxBodyDepth,
      }),
  };
  return route.handle(call);
}

/** Parameters by name. One that comes twice stays a list, which no schema takes: two readers may disagree about it. */
function queryOf(url: URL): Readonly<Record<string, unknown>> {
  const names = [...new Set(url.searchParams.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = url.searchParams.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

function answerError(options: ControlOptions, thrown: unknown, context: Context<ControlEnv>): Response {
  const gone = context.req.raw.signal.aborted && !(thrown instanceof GatewayError);
  const error = gone ? new GatewayError("client.closed", "The client went away.") : toGatewayError(thrown);
  const requestId = context.get("requestId");
  context.set("code", error.code);
  noteDenial(options, error, context);
  if (error.status >= 500 && error.code !== "server.not_ready") {
    const { code, detail, cause } = error;
    const stack = cause instanceof Error ? cause.stack : error.stack;
    options.log.error({ requestId, code, detail, stack }, "control request failed");
  }
  const response = problemResponse(error, requestId);
  if (error.code === "route.method_not_allowed") response.headers.set("allow", context.get("allow"));
  return response;
}

function noteDenial({ context: core }: ControlOptions, { code }: GatewayError, context: Context<ControlEnv>): void {
  const action = deniedActions.get(code);
  if (action === undefined || declaredPath(context) === selfNotingPath) return;
  const { type, id } = context.get("actor") ?? { type: "anonymous", id: "anonymous" };
  const target = `${context.req.method} ${declaredPath(context)}`.slice(0, 200);
  core.denials?.note({ action, actor: id, actorType: type, target, code, origin: originOf(context) });
}

/** Signing in tells of wrong passwords itself, and knows whose. */
const selfNotingPath = "/api/v1/session";

const deniedActions: ReadonlyMap<ErrorCode, Denial["action"]> = new Map([
  ["auth.invalid_credentials", "login.failed"],
  ["auth.forbidden", "control.denied"],
  ["auth.forbidden_host", "control.denied"],
  ["auth.insufficient_scope", "control.denied"],
]);

function originOf(context: Context<ControlEnv>): ActorOrigin {
  return { requestId: context.get("requestId"), clientAddress: context.get("clientAddress") };
}

function addressOf({ trustedProxies }: ControlOptions, { env }: Context<ControlEnv>): string {
  if (env?.incoming === undefined) return "";
  return clientAddress(env.incoming.socket.remoteAddress, env.incoming.headers, trustedProxies ?? noProxies);
}

const noProxies = createCidrSet([]);

/** The route as it is declared, never the path as it came: paths and queries may hold what a log must not. */
function declaredPath(context: Context<ControlEnv>): string {
  const route = matchedRoutes(context).at(-1)?.path ?? "";
  return route === "/*" || route === "" ? "none" : route;
}

function setCommonHeaders(context: Context<ControlEnv>): void {
  const { headers } = context.res;
  headers.set("x-request-id", context.get("requestId"));
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  headers.set("cross-origin-resource-policy", "same-origin");
  if (!headers.has("cache-control")) headers.set("cache-control", "no-store");
  if (!headers.has("content-security-policy")) {
    headers.set("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  }
}

function logRequest({ log }: ControlOptions, context: Context<ControlEnv>, durationMs: number): void {
  const fields = {
    requestId: context.get("requestId"),
    method: context.req.method,
    route: declaredPath(context),
    status: context.res.status,
    code: context.get("code"),
    durationMs: Math.round(durationMs),
  };
  log.info(fields, "control request");
}
