import { errorCodes } from "../../kernel/error-codes.ts";
import type { GatewayError } from "../../kernel/errors.ts";
import type { InboundDialectId } from "../../routing/dialects/index.ts";
import type { ErrorParts } from "./openai-error.ts";
import { assessmentOf, openAiError } from "./openai-error.ts";

/** The body of a fault of ours, in the words of the client's dialect. */
export function llmErrorBody(dialect: InboundDialectId, parts: ErrorParts, requestId: string): object {
  if (dialect !== "anthropic-messages") return openAiError(parts);
  const type = anthropicType(parts.code === "limit.budget" ? 402 : errorCodes[parts.code].status);
  return { type: "error", error: { type, message: parts.message, ...assessmentOf(parts.data) }, request_id: requestId };
}

/**
 * The bytes that end a broken stream in the client's dialect, never with what would say that the answer was whole. The
 * blank line ends whatever event stands half-written, so that it cannot swallow the error.
 * @param sequence the number of the event, in a streamed response
 */
export function llmErrorFrame(
  dialect: InboundDialectId,
  error: GatewayError,
  { requestId, sequence }: { readonly requestId: string; readonly sequence: number },
): Buffer {
  const body = llmErrorBody(dialect, error, requestId);
  if (dialect === "openai-chat") return Buffer.from(`\n\ndata: ${JSON.stringify(body)}\n\n`);
  if (dialect === "anthropic-messages") return Buffer.from(`\n\nevent: error\ndata: ${JSON.stringify(body)}\n\n`);
  const { code, message, ...more } = openAiError(error).error;
  const response = { id: `resp_${requestId.replaceAll("-", "")}`, object: "response", status: "failed" };
  const failed = { ...response, output: [], error: { code, message, ...assessmentOf(more) } };
  const data = { type: "response.failed", sequence_number: sequence, response: failed };
  return Buffer.from(`\n\nevent: response.failed\ndata: ${JSON.stringify(data)}\n\n`);
}

const types: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/**
 * Anthropic's word for a status.
 * @see https://docs.anthropic.com/en/api/errors
 */
function anthropicType(status: number): string {
  return types[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}
