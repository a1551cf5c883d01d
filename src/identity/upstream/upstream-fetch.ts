import { GatewayError } from "../../kernel/errors.ts";
import type { ChosenBy } from "../../kernel/network-policy.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { SafeFetch, SafeResponse } from "../../kernel/safe-fetch.ts";

/** The way to an upstream's authorization server and its documents. */
export interface UpstreamFetch {
  /**
   * Throws `upstream.refused_address` for what is no plain http or https URL, and for http where https is asked for: such a
   * URL is neither fetched nor shown to a browser.
   */
  assertPermitted(url: string): void;
  /** A JSON object; undefined where there is none (any 4xx, or no JSON). Throws `upstream.…` for everything else. */
  document(url: string): Promise<object | undefined>;
  /** A POST, as a form or as JSON. Any status is an answer. */
  post(
    url: string,
    body: { readonly form: Readonly<Record<string, string>> } | { readonly json: object },
    headers?: Readonly<Record<string, string>>,
  ): Promise<SafeResponse>;
}

export interface UpstreamFetchParts {
  readonly fetch: Pick<SafeFetch, never> & ((...call: Parameters<SafeFetch>) => ReturnType<SafeFetch>);
  /** URLs out of the configuration: their hosts are the operator's choice, everybody else's are an answer's. */
  readonly configured: readonly (string | undefined)[];
  /** In production nothing but https is spoken. */
  readonly httpsOnly: boolean;
}

const documentBytes = 262_144;
const timeoutMs = 10_000;

/** Bounded in size and time; redirects are not followed, as tokens and codes must not wander. */
export function createUpstreamFetch({ fetch, configured, httpsOnly }: UpstreamFetchParts): UpstreamFetch {
  const origins = new Set(configured.flatMap((url) => (url === undefined ? [] : [new URL(url).origin])));
  const chosenBy = (url: string): ChosenBy => (origins.has(new URL(url).origin) ? "operator" : "response");
  const assertPermitted = (url: string): void => {
    const parsed = URL.parse(url);
    const isPlain = parsed !== null && parsed.username === "" && parsed.password === "";
    const permitted = isPlain && (parsed.protocol === "https:" || (parsed.protocol === "http:" && !httpsOnly));
    if (permitted) return;
    throw new GatewayError("upstream.refused_address", "The upstream names an address that is not used.", {
      detail: `${parsed?.protocol ?? "no URL"}; ${httpsOnly ? "https" : "http or https"} is asked for, without a user name`,
    });
  };
  return {
    assertPermitted,
    async document(url) {
      assertPermitted(url);
      const headers = { accept: "application/json", "mcp-protocol-version": "2025-11-25" };
      const answer = await fetch(url, { chosenBy: chosenBy(url), headers, maxBytes: documentBytes, timeoutMs });
      if (answer.status >= 500) {
        throw new GatewayError("upstream.unavailable", "The upstream's authorization server does not answer now.", {
          detail: `${new URL(url).origin}: status ${answer.status}`,
        });
      }
      return answer.status === 200 ? objectIn(answer) : undefined;
    },
    post(url, body, more = {}) {
      assertPermitted(url);
      const isForm = "form" in body;
      const headers = {
        accept: "application/json",
        "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
        ...more,
      };
      const text = isForm ? new URLSearchParams(body.form).toString() : JSON.stringify(body.json);
      return fetch(url, {
        chosenBy: chosenBy(url),
        method: "POST",
        headers,
        body: text,
        maxBytes: documentBytes,
        timeoutMs,
      });
    },
  };
}

/** The answer as an object; undefined when it is none. */
export function objectIn(answer: Pick<SafeResponse, "text">): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = parseJson(answer.text());
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined; // just looked at
  } catch {
    return undefined;
  }
}
