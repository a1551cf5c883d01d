import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { errorCodes } from "../../kernel/error-codes.ts";
import { toGatewayError } from "../../kernel/errors.ts";
import type { ExchangeId } from "../../kernel/ids.ts";
import { uuidV7 } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import { identify } from "../../pipeline/identify.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";
import type { CompiledApi, Snapshot } from "../../pipeline/snapshot.ts";
import type { AcceptOptions } from "../accept-request.ts";
import { acceptAnyPage } from "../accept-request.ts";
import { mcpListing } from "../mcp/compile-mcp.ts";
import type { ServedExchangeTools } from "../served-exchange.ts";
import { ServedExchange } from "../served-exchange.ts";
import { registryAnswer, registryQuestion } from "./registry-answer.ts";
import type { ListedServer } from "./server-document.ts";

/** Whom the registry tells of what. */
export type RegistryMode = "off" | "callers" | "public";

export interface RegistryOptions extends AcceptOptions, ServedExchangeTools {
  readonly registry?: RegistryMode | undefined;
  /** Where clients reach the gateway. */
  readonly tokens: { readonly publicUrl: string };
  readonly log: Log;
}

/**
 * Answers `GET /v0.1/servers…` (MCP registry API, v0.1) with the MCP servers that the caller may use, or with all of them
 * where the registry is public; false where the request is none of the registry's. What a caller may not use looks like
 * what is not there. Pages of any origin may ask: a page shows its own key.
 */
export function serveRegistry(
  { incoming, outgoing }: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
  snapshot: Snapshot | undefined,
  options: RegistryOptions,
): boolean {
  const { method = "GET", url = "" } = incoming;
  const question = registryQuestion(url);
  const isAsked = method === "GET" || method === "HEAD" || method === "OPTIONS";
  if ((options.registry ?? "off") === "off" || question === undefined || !isAsked) return false;
  if (acceptAnyPage(incoming, options) !== undefined) return false; // the usual refusal tells why
  if (method === "OPTIONS") {
    outgoing.writeHead(204, openToPages).end();
    return true;
  }
  const answer = async (): Promise<void> => {
    const { publicUrl } = options.tokens;
    const found = await listedFor(incoming, snapshot, options);
    if ("type" in found) return refuse(outgoing, found);
    const document = registryAnswer(question, found, publicUrl);
    if (document === undefined) return refuse(outgoing, deny("route.not_found", "Server not found"));
    write(incoming, outgoing, document, options.registry === "public");
  };
  answer().catch((error: unknown) => {
    const { code, message } = toGatewayError(error);
    if (errorCodes[code].status >= 500) options.log.error({ err: error }, "the registry could not answer");
    if (!outgoing.headersSent) refuse(outgoing, deny(code, message));
  });
  return true;
}

async function listedFor(
  incoming: IncomingMessage,
  snapshot: Snapshot | undefined,
  options: RegistryOptions,
): Promise<readonly ListedServer[] | Deny> {
  const { registry, clock, tokens } = options;
  const { publicUrl } = tokens;
  if (snapshot === undefined) return deny("server.not_ready", "The gateway is starting; try again in a moment.");
  const servers = snapshot.apis.filter(({ kind }) => kind === "McpServer");
  const listing = (api: CompiledApi): ListedServer => ({
    ...mcpListing(api),
    name: api.name,
    url: `${publicUrl.replace(/\/$/, "")}${api.context}/mcp`,
  });
  if (registry === "public") return servers.map(listing);
  const open: ListedServer[] = [];
  let refusal: Deny | undefined;
  let isKnown = false;
  for (const api of servers) {
    const id = uuidV7(clock.now()) as ExchangeId; // of an exchange that nobody else hears of
    const exchange = new ServedExchange(id, api, snapshot, `${api.context}/mcp`, incoming, options);
    exchange.keepOpen(); // its headers are looked at, and no more of it comes
    const outcome = await identify(exchange);
    if (outcome === undefined) open.push(listing(api));
    else if (outcome.type === "denied") {
      if (errorCodes[outcome.deny.code].status === 401) refusal ??= outcome.deny;
      else isKnown = true;
    }
  }
  return open.length === 0 && !isKnown && refusal !== undefined ? refusal : open;
}

const openToPages = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD",
  "access-control-allow-headers": "*, authorization",
  "access-control-max-age": "86400",
} as const;

function write(incoming: IncomingMessage, outgoing: ServerResponse, document: object, isPublic: boolean): void {
  const bytes = Buffer.from(JSON.stringify(document));
  const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  const headers = {
    etag,
    "cache-control": isPublic ? "public, max-age=60" : "private, no-cache",
    ...(!isPublic && { vary: "authorization" }),
    "access-control-expose-headers": "etag",
    ...openToPages,
  };
  const known = incoming.headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known?.includes(etag) === true) {
    outgoing.writeHead(304, headers).end();
    return;
  }
  outgoing.writeHead(200, { ...headers, "content-type": "application/json", "content-length": bytes.length });
  outgoing.end(bytes);
}

function refuse(outgoing: ServerResponse, { code, message }: Deny): void {
  const { status } = errorCodes[code];
  const bytes = Buffer.from(JSON.stringify({ error: message }));
  outgoing.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    "cache-control": "no-store",
    ...(status === 401 && { "www-authenticate": "Bearer" }),
    ...openToPages,
  });
  outgoing.end(bytes);
}
