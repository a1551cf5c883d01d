import { GatewayError } from "../kernel/errors.ts";
import type { SafeResponse } from "../kernel/safe-fetch.ts";
import type { KeyManagerTools } from "../pipeline/define-key-manager.ts";

/** One request to a key manager's server. */
export interface RemoteRequest {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Statuses that are no failure; 200 unless told. */
  readonly ok?: readonly number[];
}

/** Talks to the server of a key manager. */
export interface RemoteServer {
  /** Throws `upstream.…`; what the server said goes to the operator only, and no more than a piece of it. */
  send(request: RemoteRequest): Promise<SafeResponse>;
  /** Who chose a URL's host: the operator where it is one of the configured ones, else an answer of the server's. */
  chosenBy(url: string): "operator" | "response";
}

const maxBytes = 524_288;
const timeoutMs = 10_000;

/** @param configured URLs out of the configuration: their hosts are the operator's choice, also in documents */
export function createRemoteServer(
  configured: readonly string[],
  { fetch }: Pick<KeyManagerTools, "fetch">,
): RemoteServer {
  const origins = new Set(configured.map((url) => new URL(url).origin));
  const chosenBy = (url: string): "operator" | "response" =>
    URL.canParse(url) && origins.has(new URL(url).origin) ? "operator" : "response";
  return {
    chosenBy,
    async send({ method = "GET", url, headers = {}, json, form, ok = [200] }) {
      const body = json === undefined ? form && new URLSearchParams(form).toString() : JSON.stringify(json);
      const type = json === undefined ? "application/x-www-form-urlencoded" : "application/json";
      const answer = await fetch(url, {
        chosenBy: chosenBy(url),
        method,
        headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": type }), ...headers },
        ...(body === undefined ? {} : { body }),
        maxBytes,
        timeoutMs,
      });
      if (ok.includes(answer.status)) return answer;
      throw failure(method, url, answer);
    },
  };
}

/** `Authorization` of a client (RFC 6749, 2.3.1): both parts are form-encoded before they are joined. */
export function basicAuthorization(clientId: string, clientSecret: string): string {
  const encoded = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
  return `Basic ${Buffer.from(encoded).toString("base64")}`;
}

/** A member of an answer that must be text. Throws `upstream.invalid`. */
export function textMember(answer: SafeResponse, name: string): string {
  const value = objectOf(answer)[name];
  if (typeof value === "string" && value !== "") return value;
  throw new GatewayError("upstream.invalid", "The key manager's answer lacks what it should hold.", {
    detail: `${answer.url}: ${name}`,
  });
}

/** The answer as an object; empty when it is none. */
export function objectOf(answer: SafeResponse): Readonly<Record<string, unknown>> {
  const value = answer.json();
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {}; // just looked at
}

function failure(method: string, url: string, answer: SafeResponse): GatewayError {
  const isRefused = answer.status === 401 || answer.status === 403;
  const code = isRefused ? "upstream.credentials" : answer.status >= 500 ? "upstream.unavailable" : "upstream.invalid";
  const text = isRefused ? "The key manager refused our credentials." : "The key manager did not do what was asked.";
  // Its words may repeat what was sent; only the error codes of OAuth and SCIM are taken over.
  return new GatewayError(code, text, {
    detail: `${method} ${new URL(url).pathname}: ${answer.status} ${errorCode(answer)}`,
  });
}

function errorCode(answer: SafeResponse): string {
  try {
    const { error, errorMessage, code, detail } = objectOf(answer);
    const text = [error, errorMessage, code, detail].find((value) => typeof value === "string") ?? "";
    return String(text)
      .replaceAll(/[^ -~]/g, "")
      .slice(0, 200);
  } catch {
    return "";
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ x: text }).toString().slice(2);
}
