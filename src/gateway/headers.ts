import type { IncomingHttpHeaders } from "node:http";
import { parseApiKey } from "../core/api-key-format.ts";

/** Headers of one hop (RFC 9110, 7.6.1) and those that the next hop's own HTTP stack writes. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "host",
  "content-length",
  "content-encoding",
  "accept-encoding",
  "expect",
]);

/** What a client says of itself to us and to nobody else: credentials, the road it came by, the account to bill. */
const clientOnly: ReadonlySet<string> = new Set([
  "authorization",
  "apikey",
  "api-key",
  "x-api-key",
  "x-goog-api-key",
  "cookie",
  "forwarded",
  "via",
  "x-real-ip",
  "x-request-id",
  "origin",
  "referer",
  "content-type",
  "openai-organization",
  "openai-project",
]);

const credentialName =
  /(^|[-_])(api[-_]?key|token|secret|auth|authorization|authentication|cookie|session|credentials?|password|signature)([-_]|$)/;
const roadPrefix = /^(x-forwarded-|x-gatehouse-|sec-|cf-|x-amz-|x-envoy-|:)/;

/**
 * The client's headers that may go on to an upstream: neither of one hop, nor credentials by name or by the look of
 * the name, nor what tells the road, nor one of our keys, in whatever header it stands: policies that an API attaches
 * may read it from any. `keyHeader` is the API's own header for keys.
 */
export function forwardableHeaders(headers: IncomingHttpHeaders, keyHeader: string): Record<string, string> {
  const named = connectionNamed(headers.connection);
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || clientOnly.has(name) || name === keyHeader) continue;
    if (isPrivate(name) || named?.has(name)) continue;
    const text = typeof value === "string" ? value : value.join(", ");
    if (!holdsKey(text)) kept[name] = text;
  }
  return kept;
}

function holdsKey(value: string): boolean {
  if (!value.includes("gh_")) return false;
  return value.split(/[^0-9A-Za-z_]+/).some((word) => parseApiKey(word) !== undefined);
}

// Clients send the same two dozen names for ever, so each name is judged once. Bounded: names come from strangers.
const judged = new Map<string, boolean>();
const judgedLimit = 1_000;

function isPrivate(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  // `Mcp-Param-…` repeats an argument of the body, whatever the argument is called.
  const verdict = !name.startsWith("mcp-param-") && (credentialName.test(name) || roadPrefix.test(name));
  if (judged.size < judgedLimit) judged.set(name, verdict);
  return verdict;
}

/** What of an upstream's headers is about our account there or its own connection. */
const upstreamOnly: ReadonlySet<string> = new Set([
  "set-cookie",
  "openai-organization",
  "openai-project",
  "www-authenticate",
  "server",
  "alt-svc",
  "strict-transport-security",
  "date",
  "via",
  "content-type",
]);

/**
 * An upstream's headers for the client: without hop-by-hop ones, cookies and our account's names; the upstream's own
 * rate limits and request id under `x-upstream-…`, for the plain names are the gateway's.
 */
export function answerHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const connection = headers["connection"];
  const named = connectionNamed(typeof connection === "string" ? connection : undefined);
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || hopByHop.has(name) || upstreamOnly.has(name) || named?.has(name)) continue;
    if (name.startsWith("access-control-")) continue;
    const text = typeof value === "string" ? value : value.join(", ");
    if (name.startsWith("x-ratelimit-")) kept[`x-upstream-${name.slice(2)}`] = text;
    else if (name === "x-request-id" || name === "request-id") kept["x-upstream-request-id"] = text;
    else kept[name] = text;
  }
  return kept;
}

function connectionNamed(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}
