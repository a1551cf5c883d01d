import type { LimitDecision, LimitRule, LimitStanding } from "../../pipeline/limiter.ts";
import type { Counter, Moment, Part } from "./counter.ts";
import { durableFromMs } from "./counter.ts";
import type { Rate } from "./gcra.ts";
import { converted, divideUp, drained, rateOf } from "./gcra.ts";
import type { Figures } from "./journal-record.ts";

/**
 * Counts by GCRA, the leaky bucket as a meter: no more than `limit * (1 + t / windowMs)` units pass in any time `t`. All
 * arithmetic is in whole ticks and rounds against the caller.
 */
export class RateCounter implements Counter {
  readonly type = "rate";
  readonly key: string;
  readonly mayBeForgotten = true;
  freeAtMs = 0;
  place = -1;
  journalId = 0;
  journalFile = 0;
  rule: LimitRule | undefined;
  /** Ticks of `rate` that are taken, as it was at `atMs`. */
  taken = 0;
  atMs = 0;
  rate: Rate = none;

  constructor(key: string) {
    this.key = key;
  }

  bring(rule: LimitRule, { monotonicMs }: Moment): void {
    this.taken = drained(this.taken, monotonicMs - this.atMs, this.rate);
    this.atMs = Math.max(monotonicMs, this.atMs);
    if (this.rule === rule || rule.type !== "rate") return;
    this.rule = rule;
    const rate = rateOf(rule.limit, rule.windowMs, this.rate);
    if (rate !== this.rate && this.taken > 0) this.taken = converted(this.taken, this.rate, rate);
    this.rate = rate;
  }

  add(units: number, { monotonicMs }: Moment): Part | undefined {
    const { rate } = this;
    if (!(units <= rate.limit) || units * rate.perUnit > rate.full - this.taken) return undefined;
    this.taken += units * rate.perUnit;
    return { counter: this, units, mark: monotonicMs, lease: undefined };
  }

  undo({ units }: Part): void {
    this.taken -= units * this.rate.perUnit;
  }

  // What has come back by itself since the take, somebody else may have taken: only the rest can be given back.
  settle({ units, mark }: Part, actual: number, { monotonicMs }: Moment): void {
    const { rate } = this;
    if (actual > units) {
      const more = Math.min((actual - units) * rate.perUnit, Number.MAX_SAFE_INTEGER);
      this.taken = Math.min(this.taken + more, Number.MAX_SAFE_INTEGER);
    } else if (actual < units) {
      const back = (units - actual) * rate.perUnit - Math.max(monotonicMs - mark, 0) * rate.perMs;
      if (back > 0) this.taken = Math.max(this.taken - back, 0);
    }
  }

  renew(): void {
    // nothing is held
  }

  clear(): void {
    this.taken = 0;
  }

  decide(units: number, allowed: boolean): LimitDecision {
    const { rate, taken } = this;
    const room = rate.full - taken;
    const missing = units <= rate.limit ? Math.max(units * rate.perUnit - room, 0) : undefined;
    return {
      allowed,
      remaining: Math.max((room - (room % rate.perUnit)) / rate.perUnit, 0),
      resetMs: divideUp(taken, rate.perMs),
      retryAfterMs: allowed ? 0 : missing === undefined ? rate.windowMs : divideUp(missing, rate.perMs),
    };
  }

  standing(): LimitStanding {
    const { remaining, resetMs } = this.decide(0, true);
    return { used: divideUp(this.taken, this.rate.perUnit), reserved: 0, remaining, resetMs };
  }

  freeAt(): number {
    return this.atMs + divideUp(this.taken, this.rate.perMs);
  }

  get isDurable(): boolean {
    return this.rate.windowMs > durableFromMs;
  }

  figures({ wallMs, monotonicMs }: Moment): Figures {
    const { limit, windowMs } = this.rate;
    return [limit, windowMs, this.taken, wallMs - (monotonicMs - this.atMs)];
  }

  // Between two processes the time of day is the only clock.
  restore([limit, windowMs, taken, atWallMs]: Figures, { wallMs, monotonicMs }: Moment): void {
    this.rate = rateOf(limit, windowMs, undefined);
    this.taken = drained(taken, wallMs - atWallMs, this.rate);
    this.atMs = monotonicMs;
  }
}

const none: Rate = { limit: 0, windowMs: 1, perUnit: 1, perMs: 1, full: 0 };
