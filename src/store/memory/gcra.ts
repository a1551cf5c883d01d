/** A limit in ticks, the common measure of units and time: both are whole numbers of it, up to `full`. */
export interface Rate {
  readonly limit: number;
  readonly windowMs: number;
  readonly perUnit: number;
  readonly perMs: number;
  readonly full: number;
}

/** The measure of a limit; the known one where that is the same. A limit below 0, or none, is 0. */
export function rateOf(askedLimit: number, askedWindowMs: number, known: Rate | undefined): Rate {
  if (known?.limit === askedLimit && known.windowMs === askedWindowMs) return known;
  const limit = wholeFrom(Math.floor(askedLimit), 0);
  const windowMs = wholeFrom(Math.ceil(askedWindowMs), 1);
  if (known?.limit === limit && known.windowMs === windowMs) return known;
  const divisor = greatestCommonDivisor(limit, windowMs);
  const exact = { limit, windowMs, perUnit: windowMs / divisor, perMs: Math.max(limit / divisor, 1) };
  const full = limit * exact.perUnit;
  if (full <= Number.MAX_SAFE_INTEGER) return { ...exact, full };
  // Too fine a measure to count exactly: take the finest that we can, and give back the less in each millisecond.
  const perUnit = Math.floor(Number.MAX_SAFE_INTEGER / limit);
  const perMs = Math.max(Math.floor((limit * perUnit) / windowMs), 1);
  return { limit, windowMs, perUnit, perMs, full: limit * perUnit };
}

/** A whole number no less than `least` and no more than can be counted exactly; `least` for what is no number. */
export function wholeFrom(value: number, least: number): number {
  return value >= least ? Math.min(value, Number.MAX_SAFE_INTEGER) : least;
}

/** What is left of `taken` ticks after so many milliseconds. */
export function drained(taken: number, elapsedMs: number, rate: Rate): number {
  return Math.max(taken - Math.max(elapsedMs, 0) * rate.perMs, 0);
}

/** As many units in another rate's ticks, rounded against the caller and at most all of its limit. */
export function converted(taken: number, from: Rate, to: Rate): number {
  return Math.min(Math.ceil((taken / from.perUnit) * to.perUnit), to.full);
}

/** A quotient rounded up; `Math.ceil` can be one too small where the dividend is near 2^53. */
export function divideUp(dividend: number, divisor: number): number {
  const rest = dividend % divisor;
  return (dividend - rest) / divisor + (rest > 0 ? 1 : 0);
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
