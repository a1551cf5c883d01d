import type OpenAI from "openai";
import type { ClientOptions } from "openai";
import { GatewayError } from "../kernel/errors.ts";
import { headerValue } from "../kernel/header-value.ts";
import type { SafeFetch } from "../kernel/safe-fetch.ts";
import type { EmbedderTools } from "./define-embedder.ts";

/** Where embeddings are asked for, and how. */
export interface EmbeddingsAddress {
  /** What stands before `/embeddings`. */
  readonly baseUrl: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly model: string;
  /** Asked of models that can shorten their vectors; the provider's own length when absent. */
  readonly dimensions?: number | undefined;
  readonly key?: {
    /** Name of the secret in the vault; read at each call, so that a changed one is used at once. */
    readonly secret: string;
    /** In lower case. */
    readonly header: string;
    /** Before the key, with its blank: `Bearer `. */
    readonly prefix: string;
  };
  /** For one call. */
  readonly timeoutMs: number;
}

/** One call without another try: what the provider has sent as `data`, unread. */
export type EmbeddingsCall = (texts: readonly string[], signal: AbortSignal) => Promise<unknown>;

/**
 * Calls through the `openai` package, which is loaded at the first call and is given no way out but ours. Throws what
 * `SafeFetch` throws; for a status that is a refusal `upstream.credentials` (401, 403), `upstream.unavailable` with the
 * time to wait (408, 409, 429, 5xx), else `upstream.invalid`. What the provider wrote stays with the operator.
 */
export function createEmbeddingsCall(
  address: EmbeddingsAddress,
  tools: Pick<EmbedderTools, "fetch" | "secrets">,
): EmbeddingsCall {
  let client: OpenAI | undefined;
  return async (texts, signal) => {
    const { default: Client } = await import("openai");
    client ??= new Client(clientOptions(address, tools));
    const body = {
      model: address.model,
      input: [...texts],
      encoding_format: "float" as const, // the one that every provider knows
      ...(address.dimensions !== undefined && { dimensions: address.dimensions }),
    };
    try {
      const answer: unknown = await client.embeddings.create(body, { signal });
      return typeof answer === "object" && answer !== null && "data" in answer ? answer.data : undefined;
    } catch (error) {
      throw signal.aborted
        ? new GatewayError("client.closed", "The call was abandoned.", { cause: error })
        : translate(error, address);
    }
  };
}

/** Vectors as numbers in JSON are long: 128 texts of 3,072 numbers come near 10 MB. */
const maxAnswerBytes = 67_108_864;

// The package reads its own environment variables for what is left out; hence every member, and the list of headers below.
function clientOptions(address: EmbeddingsAddress, tools: Pick<EmbedderTools, "fetch" | "secrets">): ClientOptions {
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
      return answerOf(await send(tools.fetch, input, init, headers, address.timeoutMs));
    },
  };
}

async function send(
  safeFetch: SafeFetch,
  input: unknown,
  init: RequestInit | undefined,
  headers: Record<string, string>,
  timeoutMs: number,
) {
  if (typeof init?.body !== "string") throw new TypeError("embeddings are asked for with a body of text");
  return safeFetch(String(input), {
    chosenBy: "operator",
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

function answerOf({ status, headers, body }: Awaited<ReturnType<SafeFetch>>): Response {
  const empty = status === 204 || status === 205 || status === 304;
  const { "content-encoding": _encoding, "content-length": _length, ...kept } = headers;
  return new Response(empty ? null : new Uint8Array(body), { status, headers: kept });
}

function translate(error: unknown, { baseUrl }: EmbeddingsAddress): GatewayError {
  const own = ownError(error);
  if (own !== undefined) return own;
  const origin = new URL(baseUrl).origin;
  const detail = `${origin}: ${error instanceof Error ? error.message.slice(0, 500) : String(error)}`;
  const more = { detail, cause: error };
  const status = statusOf(error);
  if (status === undefined) {
    return error instanceof Error && error.name === "APIConnectionTimeoutError"
      ? new GatewayError("upstream.timeout", "The embedding provider did not answer in time.", more)
      : new GatewayError("upstream.invalid", "The embedding provider's answer cannot be read.", more);
  }
  if (status === 401 || status === 403) {
    return new GatewayError("upstream.credentials", "The embedding provider refused the gateway.", more);
  }
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    const retryAfterMs = retryAfter(error);
    const wait = retryAfterMs === undefined ? more : { ...more, retryAfterMs };
    return new GatewayError("upstream.unavailable", "The embedding provider is unavailable.", wait);
  }
  return new GatewayError("upstream.invalid", `The embedding provider refused the texts (status ${status}).`, more);
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
