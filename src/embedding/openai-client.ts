import type OpenAI from "openai";
import type { ClientOptions } from "openai";
import { GatewayError } from "../kernel/errors.ts";
import { headerValue } from "../kernel/header-value.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { ChosenBy } from "../kernel/network-policy.ts";
import type { SafeFetchOptions, SafeResponse } from "../kernel/safe-fetch.ts";

/** A place that speaks OpenAI's API. */
export interface OpenAiAddress {
  /** What stands before the path of each operation. */
  readonly baseUrl: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly key?: {
    /** Name of the secret in the vault; read at each call, so that a changed one is used at once. */
    readonly secret: string;
    /** In lower case. */
    readonly header: string;
    /** Before the key, with its blank: `Bearer `. */
    readonly prefix: string;
  };
  /** Who has chosen it: what else than the public network may be reached depends on that. */
  readonly chosenBy: ChosenBy;
  /** For one call. */
  readonly timeoutMs: number;
  /** Of one answer; a longer one is refused. */
  readonly maxAnswerBytes: number;
}

/** The way out, and where keys are. */
export interface OpenAiTools {
  readonly fetch: (url: string, options: SafeFetchOptions) => Promise<SafeResponse>;
  readonly secrets: { read(name: string): MaybePromise<string> };
}

/**
 * The `openai` package's client, loaded when it is first asked for: it is given no way out but ours, tries once, and reads
 * nothing of the environment. What it throws is for `translateOpenAiError`.
 */
export function openAiClient(address: OpenAiAddress, tools: OpenAiTools): () => Promise<OpenAI> {
  let client: OpenAI | undefined;
  return async () => {
    const { default: Client } = await import("openai");
    client ??= new Client(clientOptions(address, tools));
    return client;
  };
}

// The package reads its own environment variables for what is left out; hence every member, and the list of headers below.
function clientOptions(address: OpenAiAddress, tools: OpenAiTools): ClientOptions {
  return {
    baseURL: address.baseUrl,
    ...(address.query !== undefined && { defaultQuery: { ...address.query } }),
    apiKey: "set-by-our-fetch",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: "off",
    timeout: longestCallMs, // never the first to end: it would look as if the caller had gone
    maxRetries: 0, // tries are counted, spaced and stopped by our own clock
    fetch: async (input, init) => {
      const headers = sentHeaders(new Headers(init?.headers));
      const { key } = address;
      if (key !== undefined)
        headers[key.header] = `${key.prefix}${headerValue(await tools.secrets.read(key.secret), key.secret)}`;
      return answerOf(await send(tools.fetch, input, init, headers, address));
    },
  };
}

async function send(
  safeFetch: OpenAiTools["fetch"],
  input: unknown,
  init: RequestInit | undefined,
  headers: Record<string, string>,
  { chosenBy, timeoutMs, maxAnswerBytes }: OpenAiAddress,
) {
  if (typeof init?.body !== "string") throw new TypeError("a call has a body of text");
  return safeFetch(String(input), {
    chosenBy,
    method: "POST",
    headers,
    body: init.body,
    maxBytes: maxAnswerBytes,
    timeoutMs,
    ...(init.signal && { signal: init.signal }),
  });
}

/** Beyond every limit that can be configured. */
const longestCallMs = 600_000;

/** What goes out beside the key. No `authorization` of the package, and no header that an environment variable names. */
function sentHeaders(all: Headers): Record<string, string> {
  const sent: Record<string, string> = {};
  for (const name of ["accept", "content-type", "user-agent"]) {
    const value = all.get(name);
    if (value !== null) sent[name] = value;
  }
  return sent;
}

function answerOf({ status, headers, body }: SafeResponse): Response {
  const empty = status === 204 || status === 205 || status === 304;
  const { "content-encoding": _encoding, "content-length": _length, ...kept } = headers;
  return new Response(empty ? null : new Uint8Array(body), { status, headers: kept });
}

/**
 * An error of the package as the gateway's: what `SafeFetch` throws; for a status that is a refusal `upstream.credentials`
 * (401, 403), `upstream.unavailable` with the time to wait (408, 409, 429, 5xx), else `upstream.invalid`. What the
 * provider wrote stays with the operator.
 * @param who for messages: `embedding provider`
 */
export function translateOpenAiError(error: unknown, baseUrl: string, who: string): GatewayError {
  const own = ownError(error);
  if (own !== undefined) return own;
  const origin = new URL(baseUrl).origin;
  const detail = `${origin}: ${error instanceof Error ? error.message.slice(0, 500) : String(error)}`;
  const more = { detail, cause: error };
  const status = statusOf(error);
  if (status === undefined) {
    return error instanceof Error && error.name === "APIConnectionTimeoutError"
      ? new GatewayError("upstream.timeout", `The ${who} did not answer in time.`, more)
      : new GatewayError("upstream.invalid", `The ${who}'s answer cannot be read.`, more);
  }
  if (status === 401 || status === 403) {
    return new GatewayError("upstream.credentials", `The ${who} refused the gateway.`, more);
  }
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    const retryAfterMs = retryAfter(error);
    const wait = retryAfterMs === undefined ? more : { ...more, retryAfterMs };
    return new GatewayError("upstream.unavailable", `The ${who} is unavailable.`, wait);
  }
  return new GatewayError("upstream.invalid", `The ${who} refused the texts (status ${status}).`, more);
}

// The package wraps what its fetch throws.
function ownError(error: unknown): GatewayError | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof GatewayError) return at;
  }
  return undefined;
}

/** The HTTP status in an error of the package; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "status" in error && typeof error.status === "number" ? error.status : undefined;
}

function retryAfter(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("headers" in error) || !(error.headers instanceof Headers)) return undefined;
  const text = error.headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : undefined;
}
