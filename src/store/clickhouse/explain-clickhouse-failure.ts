import { ClickHouseError } from "@clickhouse/client";
import { GatewayError } from "../../kernel/errors.ts";

/**
 * The client's error as ours: `store.unavailable` when the store was not reached, was too busy or ran out of time,
 * `request.invalid` when it cannot read what was sent, and `internal` for statements that it does not take.
 */
export function explainClickHouseFailure(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (!(error instanceof ClickHouseError)) {
    const detail = error instanceof Error ? error.message : String(error);
    return new GatewayError("store.unavailable", "The analytics store cannot be reached.", {
      detail,
      cause: error,
      retryAfterMs: 1_000,
    });
  }
  const detail = `${error.code} ${error.type ?? ""}: ${error.message}`.slice(0, 1_000);
  if (unreadable.has(error.code)) {
    return new GatewayError("request.invalid", "The analytics store cannot read a row.", { detail, cause: error });
  }
  if (overLimits.has(error.code)) {
    const message = "The question took more time or memory than it may. Ask for a shorter time range.";
    return new GatewayError("store.unavailable", message, { detail, cause: error });
  }
  if (refused.has(error.code)) {
    const message = "The analytics store does not accept the configured user and password.";
    return new GatewayError("store.unavailable", message, { detail, cause: error });
  }
  return new GatewayError("store.unavailable", "The analytics store failed.", { detail, cause: error });
}

// ClickHouse's ErrorCodes.cpp: CANNOT_PARSE_*, INCORRECT_DATA, TYPE_MISMATCH, ILLEGAL_COLUMN and their kind.
const unreadable = new Set(
  [6, 7, 25, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 117, 129, 131, 349, 376, 441, 467, 645].map(String),
);
// TOO_MANY_ROWS, TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES
const overLimits = new Set([158, 159, 160, 241, 307, 396].map(String));
// UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED, AUTHENTICATION_FAILED
const refused = new Set([192, 193, 497, 516].map(String));
