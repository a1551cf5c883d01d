import type { Dispatcher } from "undici";
import request from "undici/lib/api/api-request.js";
import errors from "undici/lib/core/errors.js";
import Agent from "undici/lib/dispatcher/agent.js";
import { GatewayError } from "./errors.ts";
import type { ChosenBy, NetworkPolicy, ResolveHost } from "./network-policy.ts";
import { createGuardedLookup, systemResolve } from "./network-policy.ts";
import { parseJson } from "./parse-json.ts";

export interface SafeFetchOptions {
  /** Who chose the URL's host. A redirect to another origin goes on as `response`. */
  readonly chosenBy: ChosenBy;
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Ends the call with `client.closed`. */
  readonly signal?: AbortSignal;
  /** The largest answer taken, in bytes; 1 MiB unless told. */
  readonly maxBytes?: number;
  /**
   * Takes the body of an answer with a status of success piece by piece, each when the one before was taken; the answer has
   * none then. A body that breaks off is an error like any other.
   */
  readonly into?: (chunk: Buffer) => Promise<void>;
  /** For the whole call, redirects and body included; 10,000 unless told. */
  readonly timeoutMs?: number;
  /** Redirects followed; with 0, the default, a redirect is an answer like any other. */
  readonly maxRedirects?: number;
}

/** A whole answer. Any status is an answer; only the caller knows which one is a failure. */
export interface SafeResponse {
  /** Where the answer came from, after redirects. */
  readonly url: string;
  readonly status: number;
  /** Lower-case names; values that occur several times are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  text(): string;
  /** The body as JSON. Throws `upstream.invalid` when it is none. */
  json(): unknown;
}

/** One HTTP exchange that leaves the process. Disposing closes the connections. */
export interface SafeFetch extends AsyncDisposable {
  (url: string | URL, options: SafeFetchOptions): Promise<SafeResponse>;
}

export interface SafeFetchParts {
  readonly policy: NetworkPolicy;
  readonly resolve?: ResolveHost;
}

/**
 * The way out for everything that is no proxied call: metadata, tokens, documents, our own CLI. http and https only;
 * every address is judged by the policy before the connection and on each redirect; size and time are bounded. At a
 * redirect to another origin no header but the harmless ones goes along, and a body never does. It follows no redirect
 * from https to http.
 *
 * Throws `upstream.refused_address`, `.unreachable`, `.reset`, `.timeout`, `.too_large` or `.invalid`.
 */
export function createSafeFetch({ policy, resolve = systemResolve }: SafeFetchParts): SafeFetch {
  // A pool per chooser: a connection that the operator may open must not be lent to a URL out of an answer.
  const agents: Readonly<Record<ChosenBy, Agent>> = {
    operator: createAgent(policy, "operator", resolve),
    tenant: createAgent(policy, "tenant", resolve),
    response: createAgent(policy, "response", resolve),
  };
  const safeFetch = async (url: string | URL, options: SafeFetchOptions): Promise<SafeResponse> => {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? 10_000);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
    let hop = firstHop(url, options);
    try {
      for (let redirects = 0; ; redirects += 1) {
        policy.assertHost(hop.url.hostname, hop.chosenBy);
        const answer = await send(agents[hop.chosenBy], hop, signal);
        const next = options.maxRedirects ? nextHop(hop, answer) : undefined;
        if (next === undefined) return await readAnswer(hop, answer, options);
        if (redirects >= (options.maxRedirects ?? 0)) {
          throw invalid("The upstream redirects too often.", hop.url);
        }
        await answer.body.dump({ limit: 65_536, signal });
        hop = next;
      }
    } catch (error) {
      throw translate(error, hop.url, options, timeout);
    }
  };
  return Object.assign(safeFetch, {
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(agents).map((agent) => agent.destroy()));
    },
  });
}

function createAgent(policy: NetworkPolicy, chosenBy: ChosenBy, resolve: ResolveHost): Agent {
  return new Agent({
    allowH2: false,
    connections: 16,
    connect: { lookup: createGuardedLookup(policy, chosenBy, resolve), timeout: 10_000 },
  });
}

interface Hop {
  readonly url: URL;
  readonly chosenBy: ChosenBy;
  readonly method: NonNullable<SafeFetchOptions["method"]>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
}

function firstHop(url: string | URL, options: SafeFetchOptions): Hop {
  const { chosenBy, method = "GET", headers = {}, body } = options;
  return { url: parseUrl(String(url)), chosenBy, method, headers, body };
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null) {
    throw new GatewayError("upstream.refused_address", "The upstream's address is not a URL.");
  }
  const isPlain = (url.protocol === "http:" || url.protocol === "https:") && url.username === "" && url.password === "";
  if (isPlain) return url;
  throw new GatewayError("upstream.refused_address", "Only http and https URLs without a user name are fetched.", {
    detail: `${url.protocol}//${url.host}`,
  });
}

function send(
  agent: Agent,
  { url, method, headers, body }: Hop,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return request.call(agent, {
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers,
    body: body ?? null,
    signal,
    headersTimeout: 0, // the signal bounds the whole call
    bodyTimeout: 0,
  });
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** What may follow a redirect to another origin: nothing that could prove who we are. */
const harmlessHeaders = new Set(["accept", "accept-language", "content-type", "user-agent"]);

function nextHop(hop: Hop, answer: Dispatcher.ResponseData): Hop | undefined {
  const location = answer.headers["location"];
  if (!redirectStatuses.has(answer.statusCode) || typeof location !== "string") return undefined;
  const url = parseUrl(location, hop.url);
  if (hop.url.protocol === "https:" && url.protocol === "http:") {
    throw invalid("The upstream redirects from https to http.", hop.url);
  }
  const sameOrigin = url.origin === hop.url.origin;
  const becomesGet =
    hop.method === "POST" ? answer.statusCode < 304 : answer.statusCode === 303 && hop.method !== "HEAD";
  const body = becomesGet ? undefined : hop.body;
  if (body !== undefined && !sameOrigin) throw invalid("The upstream redirects a body to another origin.", hop.url);
  const kept = Object.entries(hop.headers).filter(([name]) => {
    const lowerName = name.toLowerCase();
    if (becomesGet && lowerName.startsWith("content-")) return false;
    return sameOrigin || harmlessHeaders.has(lowerName);
  });
  return {
    url,
    chosenBy: sameOrigin ? hop.chosenBy : "response",
    method: becomesGet ? "GET" : hop.method,
    headers: Object.fromEntries(kept),
    body,
  };
}

async function readAnswer(
  hop: Hop,
  answer: Dispatcher.ResponseData,
  { into, maxBytes = 1_048_576 }: SafeFetchOptions,
): Promise<SafeResponse> {
  const chunks: Buffer[] = [];
  const isGood = answer.statusCode >= 200 && answer.statusCode < 300;
  let bytes = 0;
  for await (const chunk of answer.body) {
    const part = chunk as Buffer; // undici's body yields buffers unless an encoding is set
    bytes += part.length;
    if (bytes > maxBytes) {
      throw new GatewayError("upstream.too_large", "The upstream's answer is too large.", {
        detail: `${hop.url.origin} sent more than ${maxBytes} bytes`,
      });
    }
    if (isGood && into !== undefined) await into(part);
    else chunks.push(part);
  }
  const body = Buffer.concat(chunks);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  const text = (): string => body.toString("utf8");
  return { url: hop.url.href, status: answer.statusCode, headers, body, text, json: () => readJson(text(), hop.url) };
}

function readJson(text: string, url: URL): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw invalid("The upstream's answer is not JSON.", url, cause);
  }
}

function invalid(message: string, url: URL, cause?: unknown): GatewayError {
  return new GatewayError("upstream.invalid", message, { detail: url.origin, cause });
}

function translate(error: unknown, url: URL, options: SafeFetchOptions, timeout: AbortSignal): GatewayError {
  if (error instanceof GatewayError) return error;
  const detail = `${url.origin}: ${error instanceof Error ? error.message : String(error)}`;
  const more = { detail, cause: error };
  if (options.signal?.aborted) return new GatewayError("client.closed", "The call was abandoned.", more);
  if (timeout.aborted || error instanceof errors.ConnectTimeoutError) {
    return new GatewayError("upstream.timeout", "The upstream did not answer in time.", more);
  }
  if (error instanceof errors.HTTPParserError || error instanceof errors.HeadersOverflowError) {
    return new GatewayError("upstream.invalid", "The upstream's answer is not valid HTTP.", more);
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof errors.SocketError || code === "ECONNRESET" || code === "EPIPE") {
    return new GatewayError("upstream.reset", "The upstream closed the connection.", more);
  }
  return new GatewayError("upstream.unreachable", "The upstream cannot be reached.", more);
}
