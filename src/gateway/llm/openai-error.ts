import type { ErrorCode } from "../../kernel/error-codes.ts";
import { errorCodes } from "../../kernel/error-codes.ts";
import type { FieldIssue } from "../../kernel/errors.ts";

/** The error object of OpenAI's API: what its SDKs read of every answer that is no success. */
export interface OpenAiError {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
    /** What a guardrail has measured, where its attachment shows it. */
    readonly assessment?: unknown;
  };
}

export interface ErrorParts {
  readonly code: ErrorCode;
  readonly message: string;
  readonly param?: string | undefined;
  readonly issues?: readonly FieldIssue[];
  readonly data?: Readonly<Record<string, unknown>> | undefined;
}

/** Codes that OpenAI's own API uses for the same case; any other keeps our name with underscores. */
const openAiCodes: Partial<Record<ErrorCode, string>> = {
  "auth.missing_credentials": "invalid_api_key",
  "auth.invalid_credentials": "invalid_api_key",
  "auth.insufficient_scope": "insufficient_scope",
  "auth.forbidden": "permission_denied",
  "request.not_offered": "model_not_found",
  "request.too_long": "context_length_exceeded",
  "limit.exceeded": "rate_limit_exceeded",
  "limit.concurrency": "rate_limit_exceeded",
  "limit.budget": "insufficient_quota",
  "limit.unpriced": "model_not_priced",
  "guardrail.denied": "guardrail_blocked",
};

/** The envelope of a fault. */
export function openAiError({ code, message, param, data }: ErrorParts): OpenAiError {
  // As OpenAI itself tells a quota that is used up from a rate that will pass.
  const type = code === "limit.budget" ? "insufficient_quota" : openAiType(errorCodes[code].status);
  const named = openAiCodes[code] ?? code.replaceAll(".", "_");
  return { error: { message, type, param: param ?? null, code: named, ...assessmentOf(data) } };
}

/** What a guardrail has measured, of the facts that a refusal carries for the caller. */
export function assessmentOf(data: ErrorParts["data"]): { readonly assessment?: unknown } {
  const assessment = data?.["assessment"];
  return assessment === undefined ? {} : { assessment };
}

function openAiType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}
