import type { Clock } from "../../kernel/clock.ts";
import type { LimitDecision, Limiter, LimitRequest } from "../../pipeline/limiter.ts";
import type { Expiring } from "./expiry-heap.ts";
import { createExpiryHeap } from "./expiry-heap.ts";

export interface MemoryLimiterOptions {
  readonly clock: Clock;
  /** Keys remembered at most. Beyond it the key is forgotten that would be wholly free again the soonest. */
  readonly maxKeys: number;
}

/** A limiter of one process. It answers at once, so check and count cannot be torn apart. */
export interface MemoryLimiter extends Limiter {
  take(request: LimitRequest): LimitDecision;
  /** Keys remembered now. Those that are wholly free again are forgotten as requests come in. */
  readonly size: number;
}

/**
 * Counts by GCRA, the leaky bucket as a meter: `limit` units may be taken at once, and what was taken comes back
 * evenly, all of it after `windowMs`. So no more than `limit * (1 + t / windowMs)` units pass in any time `t`. All
 * arithmetic is in whole numbers and rounds against the caller, so it never over-admits. A cost above the limit, or one
 * that is no number from 0 up, is refused for ever. A changed limit holds at once and keeps what was taken.
 */
export function createMemoryLimiter({ clock, maxKeys }: MemoryLimiterOptions): MemoryLimiter {
  const buckets = new Map<string, Bucket>();
  const byExpiry = createExpiryHeap<Bucket>();

  function forgetFirst(): void {
    const bucket = byExpiry.removeFirst();
    if (bucket !== undefined) buckets.delete(bucket.key);
  }

  function forgetFree(nowMs: number): void {
    for (let step = 0; step < sweepsPerTake && (byExpiry.first?.freeAtMs ?? Infinity) <= nowMs; step += 1)
      forgetFirst();
  }

  function remember(bucket: Bucket): void {
    if (buckets.size >= maxKeys) forgetFirst();
    buckets.set(bucket.key, bucket);
    byExpiry.add(bucket);
  }

  return {
    take({ key, limit, windowMs, cost }) {
      const nowMs = Math.floor(clock.monotonic());
      forgetFree(nowMs);
      const known = buckets.get(key);
      const rate = rateOf(limit, windowMs, known?.rate);
      const taken = known === undefined ? 0 : stillTaken(known, rate, nowMs);
      const units = cost >= 0 ? Math.ceil(cost) : Infinity;
      const allowed = units <= rate.limit && units * rate.perUnit <= rate.full - taken;
      const takenNow = allowed ? taken + units * rate.perUnit : taken;
      const state = { rate, taken: takenNow, atMs: nowMs, freeAtMs: nowMs + divideUp(takenNow, rate.perMs) };
      if (known !== undefined) byExpiry.moved(Object.assign(known, state));
      else if (takenNow > 0) remember({ key, place: 0, ...state });
      return decide(rate, takenNow, units, allowed);
    },
    get size() {
      return buckets.size;
    },
  };
}

// More than one, so that forgetting outruns remembering.
const sweepsPerTake = 4;

/** What a key has taken, as it was at `atMs`, in ticks of its rate. Changes in place: there is one take after another. */
interface Bucket extends Expiring {
  readonly key: string;
  rate: Rate;
  taken: number;
  atMs: number;
}

/** A limit in ticks, the common measure of units and time: both are whole numbers of it, up to `full`. */
interface Rate {
  readonly limit: number;
  readonly windowMs: number;
  readonly perUnit: number;
  readonly perMs: number;
  readonly full: number;
}

function rateOf(askedLimit: number, askedWindowMs: number, known: Rate | undefined): Rate {
  if (known?.limit === askedLimit && known.windowMs === askedWindowMs) return known;
  const limit = whole(Math.floor(askedLimit), 0);
  const windowMs = whole(Math.ceil(askedWindowMs), 1);
  const divisor = greatestCommonDivisor(limit, windowMs);
  const exact = { limit, windowMs, perUnit: windowMs / divisor, perMs: Math.max(limit / divisor, 1) };
  const full = limit * exact.perUnit;
  if (full <= Number.MAX_SAFE_INTEGER) return { ...exact, full };
  // Too fine a measure to count exactly: take the finest that we can, and give back the less in each millisecond.
  const perUnit = Math.floor(Number.MAX_SAFE_INTEGER / limit);
  return {
    limit,
    windowMs,
    perUnit,
    perMs: Math.max(Math.floor((limit * perUnit) / windowMs), 1),
    full: limit * perUnit,
  };
}

function whole(value: number, least: number): number {
  return value >= least ? Math.min(value, Number.MAX_SAFE_INTEGER) : least;
}

function stillTaken(bucket: Bucket, rate: Rate, nowMs: number): number {
  const taken = Math.max(bucket.taken - Math.max(nowMs - bucket.atMs, 0) * bucket.rate.perMs, 0);
  if (bucket.rate === rate) return taken;
  return Math.min(Math.ceil((taken / bucket.rate.perUnit) * rate.perUnit), rate.full);
}

function decide(rate: Rate, taken: number, units: number, allowed: boolean): LimitDecision {
  const room = rate.full - taken;
  const missing = units > rate.limit ? undefined : Math.max(units * rate.perUnit - room, 0);
  return {
    allowed,
    remaining: (room - (room % rate.perUnit)) / rate.perUnit,
    resetMs: divideUp(taken, rate.perMs),
    retryAfterMs: allowed ? 0 : missing === undefined ? rate.windowMs : divideUp(missing, rate.perMs),
  };
}

// Math.ceil of a quotient can be one too small where the dividend is near 2^53.
function divideUp(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return (dividend - rest) / divisor + (rest > 0 ? 1 : 0);
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
