import type { ProviderError } from "../chat-answer.ts";
import { isWireObject } from "../member-reader.ts";
import { objectsOf } from "../wire-values.ts";

const maxMessage = 2_000;

const kinds: Readonly<Record<string, ProviderError["kind"]>> = {
  INVALID_ARGUMENT: "invalid-request",
  FAILED_PRECONDITION: "invalid-request",
  OUT_OF_RANGE: "invalid-request",
  UNAUTHENTICATED: "authentication",
  PERMISSION_DENIED: "permission",
  NOT_FOUND: "not-found",
  RESOURCE_EXHAUSTED: "rate-limit",
  DEADLINE_EXCEEDED: "timeout",
  UNAVAILABLE: "overloaded",
  INTERNAL: "server",
};

/**
 * An error of a Google API; Gemini's comes in a list of one where a stream was asked for.
 * @see https://google.aip.dev/193
 */
export function readGeminiError(status: number | undefined, body: unknown): ProviderError {
  const whole: unknown = Array.isArray(body) ? body[0] : body;
  const error = isWireObject(whole) && isWireObject(whole["error"]) ? whole["error"] : {};
  const { status: code, message, details } = error;
  const text = typeof message === "string" && message !== "" ? message : plainText(body);
  // A key that is not valid is told as an invalid argument.
  const isKey = objectsOf(details).some(({ reason }) => typeof reason === "string" && reason.startsWith("API_KEY_"));
  const known = isKey ? "authentication" : typeof code === "string" ? kinds[code] : undefined;
  const kind = known ?? byStatus(status);
  return {
    kind: kind === "invalid-request" && /exceeds the maximum number of tokens/i.test(text) ? "context-window" : kind,
    status,
    message: text.slice(0, maxMessage),
    ...(typeof code === "string" ? { code } : {}),
  };
}

function plainText(body: unknown): string {
  return typeof body === "string" && body !== "" ? body : "The provider gave no reason.";
}

function byStatus(status: number | undefined): ProviderError["kind"] {
  if (status === 429) return "rate-limit";
  if (status === 503) return "overloaded";
  return status !== undefined && status < 500 ? "invalid-request" : "server";
}
