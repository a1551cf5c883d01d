import type { RetryBudgetSpec } from "../core/failover.ts";

/**
 * Bounds the tries beyond the first: whatever fails, an upstream gets no more than `1 + share` times the requests, and
 * `burst` once. Retries of retries would multiply what has broken an upstream already.
 */
export interface RetryBudget {
  /** A request has come. One that is a client's own retry earns nothing: it has been paid for. */
  arrived(isClientRetry: boolean): void;
  /** Whether one more try may be made; it is counted then. */
  take(): boolean;
}

/** Full at the beginning. Counts in this process. */
export function createRetryBudget({ share, burst }: RetryBudgetSpec): RetryBudget {
  let saved = burst;
  return {
    arrived(isClientRetry) {
      if (!isClientRetry && saved < burst) saved = Math.min(burst, saved + share);
    },
    take() {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}
