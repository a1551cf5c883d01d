import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { LimitDecision, Limiter } from "./limiter.ts";

/** One request for room under a rate, outside the request's path: attempts to log in, registrations. */
export interface RateRequest {
  readonly key: string;
  readonly limit: number;
  readonly windowMs: number;
  /** Units asked for; 0 only looks. */
  readonly amount: number;
}

/** Takes from one rate, for good: there is nothing to settle. */
export function takeRate(
  limiter: Pick<Limiter, "take">,
  { key, limit, windowMs, amount }: RateRequest,
): MaybePromise<LimitDecision> {
  const taken = limiter.take([{ key, rule: { type: "rate", limit, windowMs }, amount }]);
  return taken instanceof Promise ? taken.then(({ decisions }) => only(decisions)) : only(taken.decisions);
}

const unheard: LimitDecision = { allowed: false, remaining: 0, resetMs: 0, retryAfterMs: 0 };

function only(decisions: readonly LimitDecision[]): LimitDecision {
  return decisions[0] ?? unheard; // there is one decision per charge
}
