import { errorCodes } from "../kernel/error-codes.ts";
import type { Deny } from "../pipeline/outcome.ts";

/**
 * An error for a caller whose protocol is not known, because no API stands at the path: an RFC 9457 problem that
 * carries an `error` member as well, in which the SDKs of LLM providers look for their text.
 */
export function gatewayProblem({ code, message }: Deny): object {
  const { status, title } = errorCodes[code];
  return {
    type: "about:blank",
    title,
    status,
    detail: message,
    code,
    error: {
      message,
      type: status < 500 ? "invalid_request_error" : "api_error",
      param: null,
      code: code.replaceAll(".", "_"),
    },
  };
}
