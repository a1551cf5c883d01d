import type { ProviderError } from "../chat-answer.ts";
import { isWireObject } from "../member-reader.ts";

const maxMessage = 2_000;

const kinds: Readonly<Record<string, ProviderError["kind"]>> = {
  invalid_request_error: "invalid-request",
  authentication_error: "authentication",
  billing_error: "quota",
  permission_error: "permission",
  not_found_error: "not-found",
  request_too_large: "too-large",
  rate_limit_error: "rate-limit",
  api_error: "server",
  timeout_error: "timeout",
  overloaded_error: "overloaded",
};

const kindsByStatus: Readonly<Record<number, ProviderError["kind"]>> = {
  401: "authentication",
  402: "quota",
  403: "permission",
  404: "not-found",
  413: "too-large",
  429: "rate-limit",
  504: "timeout",
  529: "overloaded",
};

/**
 * An error of Anthropic's, whole or inside a stream.
 * @see https://docs.anthropic.com/en/api/errors
 */
export function readAnthropicError(status: number | undefined, body: unknown): ProviderError {
  const error = isWireObject(body) && isWireObject(body["error"]) ? body["error"] : {};
  const { type: code, message } = error;
  const text = typeof message === "string" && message !== "" ? message : plainText(body);
  const known = typeof code === "string" ? kinds[code] : undefined;
  const byStatus = status === undefined ? undefined : kindsByStatus[status];
  const guess = status !== undefined && status < 500 ? "invalid-request" : "server";
  const kind = known ?? byStatus ?? guess;
  return {
    kind: kind === "invalid-request" && /prompt is too long|context window/i.test(text) ? "context-window" : kind,
    status,
    message: text.slice(0, maxMessage),
    ...(typeof code === "string" ? { code } : {}),
  };
}

function plainText(body: unknown): string {
  return typeof body === "string" && body !== "" ? body : "The provider gave no reason.";
}
