import type { ProviderError } from "../chat-answer.ts";
import type { WireObject } from "../member-reader.ts";

type Kind = ProviderError["kind"];

const rows: Readonly<Record<Kind, readonly [status: number, type: string, code: string | null]>> = {
  "invalid-request": [400, "invalid_request_error", null],
  authentication: [502, "api_error", "provider_credentials"],
  permission: [403, "permission_error", "permission_denied"],
  "not-found": [404, "invalid_request_error", "model_not_found"],
  "too-large": [413, "invalid_request_error", "request_too_large"],
  "context-window": [400, "invalid_request_error", "context_length_exceeded"],
  "content-policy": [400, "invalid_request_error", "content_policy_violation"],
  "rate-limit": [429, "rate_limit_error", "rate_limit_exceeded"],
  quota: [429, "insufficient_quota", "insufficient_quota"],
  overloaded: [503, "api_error", "overloaded"],
  timeout: [504, "api_error", "timeout"],
  server: [502, "api_error", null],
};

/** A provider's refusal in OpenAI's envelope. Its own name for a member means nothing to the client, so none is told. */
export function writeOpenAiError({ kind, message }: ProviderError): {
  readonly status: number;
  readonly body: WireObject;
} {
  const [status, type, code] = rows[kind];
  return { status, body: { error: { message, type, param: null, code } } };
}
