import type { ProviderError } from "../chat-answer.ts";
import type { WireObject } from "../member-reader.ts";

type Kind = ProviderError["kind"];

const rows: Readonly<Record<Kind, readonly [status: number, type: string]>> = {
  "invalid-request": [400, "invalid_request_error"],
  authentication: [502, "api_error"],
  permission: [403, "permission_error"],
  "not-found": [404, "not_found_error"],
  "too-large": [413, "request_too_large"],
  "context-window": [400, "invalid_request_error"],
  "content-policy": [400, "invalid_request_error"],
  "rate-limit": [429, "rate_limit_error"],
  quota: [429, "rate_limit_error"],
  overloaded: [529, "overloaded_error"],
  timeout: [504, "timeout_error"],
  server: [502, "api_error"],
};

/** A provider's refusal in Anthropic's envelope. */
export function writeAnthropicError({ kind, message }: ProviderError): {
  readonly status: number;
  readonly body: WireObject;
} {
  const [status, type] = rows[kind];
  return { status, body: { type: "error", error: { type, message } } };
}
