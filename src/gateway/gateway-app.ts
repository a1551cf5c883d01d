import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { AllowedHosts } from "../kernel/allowed-hosts.ts";
import type { CidrSet } from "../kernel/cidr-set.ts";
import { clientAddress } from "../kernel/client-address.ts";
import type { Clock } from "../kernel/clock.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ExchangeId } from "../kernel/ids.ts";
import { uuidV7 } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { AdapterRoute } from "../pipeline/adapter.ts";
import type { Deny } from "../pipeline/outcome.ts";
import { deny } from "../pipeline/outcome.ts";
import type { Runner } from "../pipeline/runner.ts";
import type { CompiledApi, Snapshot } from "../pipeline/snapshot.ts";
import type { TokenVerifier } from "../pipeline/token-verifier.ts";
import { accept, ambiguous } from "./accept-request.ts";
import type { AuthRoutes } from "./auth-routes.ts";
import type { DataPlane } from "./data-plane.ts";
import { dropUnreadBody } from "./drop-unread-body.ts";
import { gatewayProblem } from "./gateway-problem.ts";
import { answerPreflight, openToOrigin } from "./mcp-cross-origin.ts";
import type { RefusedRequest } from "./refusal-log.ts";
import { createRefusalLog } from "./refusal-log.ts";
import type { RegistryMode } from "./registry/serve-registry.ts";
import { serveRegistry } from "./registry/serve-registry.ts";
import { addRetryHeaders } from "./retry-headers.ts";
import { serveOauthMetadata } from "./serve-oauth-metadata.ts";
import { ServedExchange } from "./served-exchange.ts";

export interface GatewayAppOptions {
  readonly dataPlane: DataPlane;
  readonly runner: Runner;
  readonly tokens: TokenVerifier;
  /** Where tokens come from, below `/auth`; absent where another process issues them. */
  readonly auth?: AuthRoutes | undefined;
  /** False where other processes serve the APIs: here only what is beside them answers. */
  readonly servesApis?: boolean;
  /** Whom the registry of MCP servers tells of what; nobody when absent. */
  readonly registry?: RegistryMode | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly allowedHosts: AllowedHosts;
  readonly trustedProxies: CidrSet;
  /** True from the moment when the process was asked to stop. */
  draining(): boolean;
}

/** The pair that Node gave, which handlers behind a route write to. */
type Bindings = { incoming: IncomingMessage; outgoing: ServerResponse };
type Routes = Hono<{ Bindings: Bindings }>;

/** Answers to `fetch` as Hono does, and has written to `outgoing` itself by then. */
export interface GatewayApp {
  fetch(request: Request, bindings: Bindings): Response | Promise<Response>;
}

/**
 * The data plane's HTTP face. The routes are made anew with each snapshot and swapped in one step; a handler behind a
 * route works on Node's own request and response, because a `Response` in between costs a third of the throughput.
 */
export function createGatewayApp(options: GatewayAppOptions): GatewayApp {
  const tools: Tools = { ...options, noteRefusal: createRefusalLog(options) };
  let routes = createRoutes(undefined, tools);
  options.dataPlane.onSnapshot((snapshot) => {
    routes = createRoutes(snapshot, tools);
  });
  return { fetch: (request, bindings) => routes.fetch(request, bindings) };
}

interface Tools extends GatewayAppOptions {
  noteRefusal(refusal: RefusedRequest): void;
}

function createRoutes(snapshot: Snapshot | undefined, options: Tools): Routes {
  const app: Routes = new Hono<{ Bindings: Bindings }>();
  app.get("/livez", (c) => c.text("ok\n"));
  app.get("/readyz", (c) =>
    options.dataPlane.ready && !options.draining() ? c.text("ready\n") : c.text("not ready\n", 503),
  );
  app.on(["GET", "OPTIONS"], ["/.well-known/*"], (c, next) =>
    serveOauthMetadata(c.req.path, c.env, snapshot, options) ? RESPONSE_ALREADY_SENT : next(),
  );
  app.on(["GET", "OPTIONS"], ["/v0.1/*"], (c, next) =>
    options.servesApis !== false && serveRegistry(c.env, snapshot, options) ? RESPONSE_ALREADY_SENT : next(),
  );
  const apis = options.servesApis === false ? [] : (snapshot?.apis ?? []);
  for (const api of apis) {
    const below = apis.filter(({ context }) => context.startsWith(`${api.context}/`));
    if (api.kind === "McpServer") {
      app.options(`${api.context}/mcp`, (c, next) =>
        answerPreflight(c.env.incoming, c.env.outgoing, options) ? RESPONSE_ALREADY_SENT : next(),
      );
    }
    for (const { method, path } of routesOf(api)) {
      // A catch-all reaches into the contexts below its own, and what is there is for the API of that context.
      app.on([method], [api.context + path], (c, next) => {
        if (below.length > 0 && nearest(below, c.req.path) !== undefined) return next();
        if (!path.endsWith("{.+}") && ambiguous(c.env.incoming) !== undefined) return next();
        serve(api, c.req.path, c.env, options);
        return RESPONSE_ALREADY_SENT;
      });
    }
  }
  // All that is no endpoint is sorted out here, not by further routes: with one handler on its path, Hono calls it
  // straight away.
  app.notFound((c) => {
    explain(snapshot, c.req.path, c.env, options);
    return RESPONSE_ALREADY_SENT;
  });
  return app;
}

const notReady = deny("server.not_ready", "The gateway is starting; try again in a moment.", { retryAfterMs: 1_000 });
const tooOld = deny(
  "server.not_ready",
  "This gateway has not heard from its control plane for too long, so it lets nobody through.",
  { retryAfterMs: 30_000 },
);
const noApi = deny(
  "route.not_found",
  "There is no API at this path. The control plane lists the deployed ones with their URLs.",
);

const noApiHere = deny(
  "route.not_served",
  "This is a control plane alone, which serves no APIs. Gateways that follow it do.",
);

/** Why a request has no endpoint, in the dialect of the API that it went to, if it went to one. */
function explain(snapshot: Snapshot | undefined, path: string, bindings: Bindings, options: Tools): void {
  const id = uuidV7(options.clock.now());
  if (serveOauthMetadata(path, bindings, snapshot, options)) return;
  const early = accept(bindings.incoming, options) ?? ambiguous(bindings.incoming);
  const target = early === undefined ? options.auth?.target(path) : undefined;
  if (target !== undefined) {
    void options.auth?.handle(target, bindings.incoming, bindings.outgoing, id);
    return;
  }
  const api = options.servesApis === false ? undefined : nearest(snapshot?.apis ?? [], path);
  const entry = nearest(snapshot?.notServed ?? [], path);
  if (api !== undefined && api.context.length > (entry?.context.length ?? 0)) {
    const { refusal, headers } = explainBelow(api, path.slice(api.context.length));
    noteRefusal(early ?? refusal, id, path, bindings.incoming, options);
    api.adapter.encodeDeny(early ?? refusal, id, bindings.outgoing, early === undefined ? headers : {});
    return;
  }
  const unserved =
    entry && deny("route.not_served", `This gateway keeps ${entry.kind} resources but does not serve them yet.`);
  const here = options.servesApis === false ? noApiHere : (unserved ?? noApi);
  const refusal = early ?? (snapshot === undefined ? notReady : here);
  noteRefusal(refusal, id, path, bindings.incoming, options);
  refuse(bindings.outgoing, refusal, id, options.clock);
}

function noteRefusal(
  { code, detail }: Deny,
  requestId: string,
  path: string,
  { method = "", headers, socket }: IncomingMessage,
  options: Tools,
): void {
  const clientIp = clientAddress(socket.remoteAddress, headers, options.trustedProxies);
  options.noteRefusal({ requestId, code, method, path, clientIp, detail });
}

/** Of the contexts that the path is below, the longest. */
function nearest<Entry extends { readonly context: string }>(
  entries: readonly Entry[],
  path: string,
): Entry | undefined {
  let best: Entry | undefined;
  for (const entry of entries) {
    const isBelow = path.startsWith(entry.context) && (path[entry.context.length] ?? "/") === "/";
    if (isBelow && entry.context.length > (best?.context.length ?? 0)) best = entry;
  }
  return best;
}

function routesOf({ adapter, protocol }: CompiledApi): readonly AdapterRoute[] {
  return protocol.routes === undefined ? adapter.routes : [...adapter.routes, ...protocol.routes];
}

function explainBelow(api: CompiledApi, path: string): { refusal: Deny; headers: Record<string, string> } {
  const routes = routesOf(api);
  const methods = routes.filter((route) => isOn(route.path, path)).map(({ method }) => method);
  if (methods.length > 0) {
    const allow = methods.join(", ");
    return { refusal: deny("route.method_not_allowed", `Use ${allow} here.`), headers: { allow } };
  }
  const known = new Set(routes.map((route) => api.context + route.path.replace(/\{.*\}/, "")));
  return {
    refusal: deny("route.not_found", `There is no such endpoint; there are: ${[...known].join(", ")}.`),
    headers: {},
  };
}

/** Whether a route's pattern, whose parameters are `:name` or `:name{.+}`, stands for this path. */
function isOn(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  const isOpen = pattern.endsWith("{.+}");
  if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return false;
  return wanted.every((part, at) => (part.startsWith(":") ? given[at] !== "" : part === given[at]));
}

function serve(api: CompiledApi, path: string, { incoming, outgoing }: Bindings, options: Tools): void {
  const id = uuidV7(options.clock.now()) as ExchangeId; // made here and nowhere else
  const refusal = accept(incoming, options);
  const lease = options.dataPlane.acquire();
  if (lease === undefined) {
    const unready = options.dataPlane.suspended ? tooOld : notReady;
    noteRefusal(refusal ?? unready, id, path, incoming, options);
    api.adapter.encodeDeny(refusal ?? unready, id, outgoing, {});
    return;
  }
  if (refusal === undefined && api.kind === "McpServer") openToOrigin(incoming, outgoing);
  const exchange = new ServedExchange(id, api, lease.snapshot, path, incoming, options);
  outgoing.on("close", () => {
    // Node ends an HTTP/2 stream that the client reset, so there only our own `end` tells that all was written.
    const isWritten = incoming.httpVersionMajor === 2 ? outgoing.writableEnded : outgoing.writableFinished;
    if (!isWritten) exchange.cancellation.cancel(new GatewayError("client.closed", "The client went away."));
  });
  const end = (): void => {
    exchange.keepOpen();
    lease.release();
  };
  options.runner(exchange, incoming, outgoing, refusal).then(end, (error: unknown) => {
    end();
    options.log.error({ exchange: id, err: error }, "an exchange could not be recorded");
  });
}

function refuse(outgoing: ServerResponse, refusal: Deny, requestId: string, clock: Clock): void {
  const bytes = Buffer.from(JSON.stringify(gatewayProblem(refusal)));
  const headers: Record<string, string | number> = {
    "content-type": "application/problem+json",
    "content-length": bytes.length,
    "x-request-id": requestId,
  };
  addRetryHeaders(headers, refusal);
  outgoing.writeHead(errorCodes[refusal.code].status, headers);
  outgoing.end(bytes);
  dropUnreadBody(outgoing, clock);
}
