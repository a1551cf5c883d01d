import type { ProviderError } from "../chat-answer.ts";
import type { WireObject } from "../member-reader.ts";
import { isWireObject } from "../member-reader.ts";

const maxMessage = 2_000;

/** An error of a server that speaks OpenAI's dialect, told by its status and, where that is one for many, by its code. */
export function readOpenAiError(status: number | undefined, body: unknown): ProviderError {
  const error = isWireObject(body) && isWireObject(body["error"]) ? body["error"] : body;
  const about = isWireObject(error) ? error : {};
  const code = wordOf(about["code"]) ?? wordOf(about["type"]);
  const param = wordOf(about["param"]);
  const message = messageOf(about) ?? wordOf(error) ?? "The provider gave no reason.";
  const kind = kindOf(status, code);
  return {
    kind:
      kind === "invalid-request" && /maximum context length|context window/i.test(message) ? "context-window" : kind,
    status,
    message: message.slice(0, maxMessage),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  };
}

const kindsByCode: Readonly<Record<string, ProviderError["kind"]>> = {
  context_length_exceeded: "context-window",
  content_policy_violation: "content-policy",
  content_filter: "content-policy",
  insufficient_quota: "quota",
  rate_limit_exceeded: "rate-limit",
  model_not_found: "not-found",
  invalid_request_error: "invalid-request",
  invalid_api_key: "authentication",
  server_error: "server",
  rate_limited: "rate-limit",
};

const kindsByStatus: Readonly<Record<number, ProviderError["kind"]>> = {
  401: "authentication",
  402: "quota",
  403: "permission",
  404: "not-found",
  408: "timeout",
  413: "too-large",
  429: "rate-limit",
  503: "overloaded",
  504: "timeout",
  529: "overloaded",
};

function kindOf(status: number | undefined, code: string | undefined): ProviderError["kind"] {
  const byCode = code === undefined ? undefined : kindsByCode[code];
  const byStatus = status === undefined ? undefined : kindsByStatus[status];
  // A code of the general kind says less than the status does.
  if (byCode !== undefined && byCode !== "invalid-request") return byCode;
  return byStatus ?? byCode ?? (status !== undefined && status < 500 ? "invalid-request" : "server");
}

/** Mistral has a list of faults as its message, other servers a `detail`. */
function messageOf({ message, detail }: WireObject): string | undefined {
  const told = message ?? detail;
  return wordOf(told) ?? (typeof told === "object" && told !== null ? JSON.stringify(told) : undefined);
}

function wordOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
