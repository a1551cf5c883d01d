import type { ErrorCode } from "../kernel/error-codes.ts";
import { errorCodes } from "../kernel/error-codes.ts";

export interface RetryHint {
  readonly code: ErrorCode;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Tells the SDKs, which retry 408, 409, 429 and 5xx by themselves, when to do so: `x-should-retry: false` where a
 * second try can only fail or where the gateway has tried several times itself (`attempts`), and the time to wait, in
 * both of the forms that they read.
 */
export function addRetryHeaders(headers: Record<string, string | number>, hint: RetryHint, attempts = 0): void {
  const { retry, status } = errorCodes[hint.code];
  if (!retry || attempts > 1) headers["x-should-retry"] = "false";
  const retryAfterMs = hint.retryAfterMs ?? (retry && (status === 429 || status === 503) ? 1_000 : undefined);
  if (retryAfterMs === undefined) return;
  headers["retry-after"] = Math.ceil(retryAfterMs / 1_000);
  headers["retry-after-ms"] = Math.ceil(retryAfterMs);
}
