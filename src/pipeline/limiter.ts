import type { MaybePromise } from "../kernel/maybe-promise.ts";

/**
 * How a counter lets things through. A limit of N admits exactly N: an amount fits when what is taken and the amount
 * together are no more than the limit. Limits are whole numbers from 0, at most 2^53 - 1; a limit of 0 admits nothing
 * but amounts of 0.
 *
 * - `rate`: GCRA. `limit` units may be taken at once and come back evenly, all of them after `windowMs`. Counted on a
 *   clock that never goes back.
 * - `quota`: a fixed window, whose start the policy computes on the wall clock: a day or month of a time zone, or any
 *   span. A counter has one window at a time and goes on to a later one, never back: when `startsAtMs` lies before the
 *   window that the counter has seen already (a clock was set back, or another gateway's is behind), the later window is
 *   counted. So no jump of a clock gives the same window afresh.
 * - `concurrent`: places that are held until they are settled, or for `leaseMs` after they were last renewed, should
 *   the holder have died.
 */
export type LimitRule =
  | { readonly type: "rate"; readonly limit: number; readonly windowMs: number }
  | { readonly type: "quota"; readonly limit: number; readonly startsAtMs: number; readonly windowMs: number }
  | { readonly type: "concurrent"; readonly limit: number; readonly leaseMs: number };

/** What an operation would take from one counter. */
export interface Charge {
  /**
   * Names the counter: the policy's place, what is counted over which kind of window, and the subject, such as
   * `llm_…/policies[0]/day/key_…`. Any text. Limit and window may change, which holds at once and keeps what was
   * taken; the three types of rule count apart, also under one key. Two charges on one key in one take have one rule.
   */
  readonly key: string;
  readonly rule: LimitRule;
  /**
   * Whole units, from 0: requests, tokens, or billionths of a currency's unit. A part of a unit counts as a whole one;
   * what is no number from 0 up is refused.
   */
  readonly amount: number;
  /** False refuses nothing: it counts where it fits, and its decision tells where it does not. The runner sets it. */
  readonly enforce?: boolean;
}

/** How one charge stands. */
export interface LimitDecision {
  /** Whether this charge fits, by itself. */
  readonly allowed: boolean;
  /** Whole units left, after this take where it was admitted; never negative. */
  readonly remaining: number;
  /** Until the whole limit is free again; for `concurrent` should every holder have died. */
  readonly resetMs: number;
  /**
   * Until this charge could fit; 0 when it does. For an amount above the limit a whole window, as it never will. For
   * `concurrent` nobody knows, and it is a second.
   */
  readonly retryAfterMs: number;
}

/** What was counted for one operation, until it is settled. Made by the limiter and given back to the same one. */
export interface Reservation {
  /** Unique among all limiters of one store. */
  readonly id: string;
  /** As they were given to `take`. */
  readonly charges: readonly Charge[];
}

/** What became of a take. */
export type Taken =
  | { readonly allowed: true; readonly decisions: readonly LimitDecision[]; readonly reservation: Reservation }
  | { readonly allowed: false; readonly decisions: readonly LimitDecision[]; readonly reservation?: undefined };

/** A counter as it stands, without changing it. */
export interface LimitStanding {
  /** What was settled, in the present window. A reservation that was open at a crash is among it. */
  readonly used: number;
  /** What open reservations hold, beside that. Of a `rate`, always 0. */
  readonly reserved: number;
  readonly remaining: number;
  readonly resetMs: number;
}

/**
 * Counts across all requests of this gateway, or of all gateways that share the store. A store that is in reach of this
 * process answers at once, without a promise. A call that fails throws or rejects and may have counted: who took then
 * goes on as if it had.
 */
export interface Limiter {
  /**
   * Takes all charges or none, in one step: when each charge that is enforced fits, all that fit are counted. Two
   * charges on one key add up. Never over-admits, also when calls race. A refused take leaves nothing counted.
   * `decisions` has one entry per charge, in order.
   */
  take(charges: readonly Charge[]): MaybePromise<Taken>;
  /**
   * Says what was really used, one amount per charge of the reservation, in order: less is given back, more is recorded
   * as taken, over the limit too. Places of `concurrent` are freed whatever their amount is. An amount that is no
   * number from 0 up leaves what was reserved. A quota is settled in the window that it was taken from; when that is
   * over, nothing changes. A rate gives back no more than what has not come back by itself since. What a charge did not
   * count (`enforce: false`, and it did not fit) stays uncounted. Settling twice, or a reservation that nobody knows
   * any more, does nothing.
   */
  settle(reservation: Reservation, amounts: readonly number[]): MaybePromise<void>;
  /**
   * Holds the places of `concurrent` charges for another lease; those that had run out are held again, past the limit
   * if need be, because the operation does run. Does nothing for what is settled.
   */
  renew(reservations: readonly Reservation[]): MaybePromise<void>;
  /**
   * Forgets what was used of quotas and rates, for good; what open reservations hold stays, and is settled as ever. A quota
   * counts on in the window of the rule, also where it had seen a later one: so a wrong clock can be made good. Places
   * of `concurrent` are nobody's to forget.
   */
  clear(charges: readonly Pick<Charge, "key" | "rule">[]): MaybePromise<void>;
  /** How counters stand. Of a charge, key and rule are looked at. */
  look(charges: readonly Pick<Charge, "key" | "rule">[]): MaybePromise<readonly LimitStanding[]>;
}
