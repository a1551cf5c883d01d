import type { MaybePromise } from "../kernel/maybe-promise.ts";

/** One request for room under a limit. */
export interface LimitRequest {
  /** Who is counted: the policy's place and the subject, e.g. `llm_…/policies[0]/key_…`. */
  readonly key: string;
  /** Units that may be taken at once; they come back evenly, all of them after `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
  /** Units asked for; 1 for a request. */
  readonly cost: number;
}

export interface LimitDecision {
  readonly allowed: boolean;
  /** Whole units left after this request. */
  readonly remaining: number;
  /** Until the whole limit is free again. */
  readonly resetMs: number;
  /** Until this request could be admitted; 0 when it was. */
  readonly retryAfterMs: number;
}

/**
 * Counts across all requests of this gateway, or of all gateways that share the store. Never over-admits, also when
 * two calls race: check and count are one step. Asynchronous so that a shared store can stand behind it.
 */
export interface Limiter {
  take(request: LimitRequest): MaybePromise<LimitDecision>;
}
