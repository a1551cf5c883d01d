import type { LimitDecision, LimitRule, LimitStanding } from "../../pipeline/limiter.ts";
import type { Counter, Moment, Part } from "./counter.ts";
import { wholeFrom } from "./gcra.ts";

/** Longest time that a window which is over is still known, in case that the clock is set back into it. */
const keptAfterMs = 3_600_000;

/** Counts in one fixed window at a time. It goes on to a later window and never back to an earlier one. */
export class QuotaCounter implements Counter {
  readonly type = "quota";
  readonly key: string;
  readonly mayBeForgotten = false;
  freeAtMs = 0;
  place = -1;
  rule: LimitRule | undefined;
  startsAtMs = -Infinity;
  windowMs = 0;
  limit = 0;
  /** What is settled. */
  used = 0;
  /** What open reservations of this window hold. */
  reserved = 0;

  constructor(key: string) {
    this.key = key;
  }

  bring(rule: LimitRule): void {
    if (this.rule === rule || rule.type !== "quota") return;
    this.rule = rule;
    this.limit = wholeFrom(Math.floor(rule.limit), 0);
    const startsAtMs = Number.isFinite(rule.startsAtMs) ? rule.startsAtMs : 0;
    if (startsAtMs < this.startsAtMs) return;
    if (startsAtMs > this.startsAtMs) {
      this.startsAtMs = startsAtMs;
      this.used = 0;
      this.reserved = 0;
    }
    this.windowMs = wholeFrom(Math.ceil(rule.windowMs), 1);
  }

  add(units: number): Part | undefined {
    if (!(units <= this.limit - this.used - this.reserved)) return undefined;
    this.reserved += units;
    return { counter: this, units, mark: this.startsAtMs, lease: undefined };
  }

  undo({ units }: Part): void {
    this.reserved -= units;
  }

  settle({ units, mark }: Part, actual: number): void {
    if (mark !== this.startsAtMs) return;
    this.reserved = Math.max(this.reserved - units, 0);
    this.used = Math.min(this.used + actual, Number.MAX_SAFE_INTEGER);
  }

  renew(): void {
    // it is held until the window ends
  }

  decide(units: number, allowed: boolean, now: Moment): LimitDecision {
    const resetMs = this.#untilReset(now);
    const retryAfterMs = allowed ? 0 : units <= this.limit ? Math.max(resetMs, 1) : this.windowMs;
    return { allowed, remaining: this.#room(), resetMs, retryAfterMs };
  }

  standing(now: Moment): LimitStanding {
    const { used, reserved } = this;
    return { used, reserved, remaining: this.#room(), resetMs: this.#untilReset(now) };
  }

  freeAt(now: Moment): number {
    return now.monotonicMs + this.#untilEnd(now) + Math.min(this.windowMs, keptAfterMs);
  }

  #room(): number {
    return Math.max(this.limit - this.used - this.reserved, 0);
  }

  #untilReset(now: Moment): number {
    return this.used + this.reserved === 0 ? 0 : this.#untilEnd(now);
  }

  #untilEnd({ wallMs }: Moment): number {
    return Math.max(this.startsAtMs + this.windowMs - wallMs, 0);
  }
}
