import { GatewayError } from "../../kernel/errors.ts";
import type { DialectId } from "../../pipeline/define-provider.ts";
import type { Answer, Operation } from "../../pipeline/exchange.ts";
import type { UpstreamResponse } from "../upstream.ts";
import { llmRequest } from "./llm-request.ts";
import { refusalClass } from "./refusal-class.ts";
import { translatedError } from "./translate-call.ts";
import { readableError } from "./upstream-error.ts";
import { askedRestMs } from "./upstream-limits.ts";

/** A provider's refusal as the client is to get it. Throws `upstream.…` for a redirect and a refused credential. */
export async function errorAnswer(
  operation: Operation,
  dialect: DialectId,
  response: UpstreamResponse,
  headers: Record<string, string>,
  nowMs: number,
  isTranslated = false,
): Promise<Answer> {
  const { status } = response;
  const bytes = await response.body.whole(1_048_576);
  if (status < 400) {
    throw new GatewayError("upstream.invalid", "The upstream answered with a redirect, which is not followed.", {
      detail: `status ${status}`,
    });
  }
  if (status === 401 || status === 407) {
    const message = "The provider refused the gateway's own credentials; the operator must renew its secret.";
    throw new GatewayError("upstream.credentials", message, { detail: `status ${status}` });
  }
  headers["content-type"] = "application/json";
  const report = { failure: refusalClass(dialect, status, bytes), restMs: askedRestMs(response, nowMs) };
  if (isTranslated) return { headers, report, ...translatedError(operation, dialect, status, bytes) };
  return {
    status,
    headers,
    report,
    body: { type: "whole", frame: readableError(bytes, status, llmRequest(operation).dialect) },
  };
}
