import type { LimitDecision, LimitRule, LimitStanding } from "../../pipeline/limiter.ts";
import type { Counter, Moment, Part } from "./counter.ts";
import { durableFromMs } from "./counter.ts";
import { wholeFrom } from "./gcra.ts";
import type { Figures } from "./journal-record.ts";

/**
 * Longest time that a counter is still known when its window is over, and when it was last asked about: somebody's clock
 * may be behind, or be set back into the window.
 */
const keptAfterMs = 3_600_000;

/** Counts in one fixed window at a time. It goes on to a later window and never back to an earlier one. */
export class QuotaCounter implements Counter {
  readonly type = "quota";
  readonly key: string;
  readonly mayBeForgotten = false;
  freeAtMs = 0;
  place = -1;
  journalId = 0;
  journalFile = 0;
  rule: LimitRule | undefined;
  startsAtMs = -Infinity;
  windowMs = 0;
  limit = 0;
  askedAtMs = -Infinity;
  /** What is settled. */
  used = 0;
  /** What open reservations of this window hold. */
  reserved = 0;

  constructor(key: string) {
    this.key = key;
  }

  bring(rule: LimitRule, { monotonicMs }: Moment): void {
    this.askedAtMs = monotonicMs;
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

  clear(rule: LimitRule): void {
    this.used = 0;
    if (rule.type !== "quota" || rule.startsAtMs === this.startsAtMs) return;
    this.startsAtMs = rule.startsAtMs; // an earlier one: to a later one it was brought
    this.windowMs = wholeFrom(Math.ceil(rule.windowMs), 1);
    this.reserved = 0;
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

  freeAt({ monotonicMs, wallMs }: Moment): number {
    const keptMs = Math.min(this.windowMs, keptAfterMs);
    const untilOverMs = this.startsAtMs + this.windowMs + keptMs - wallMs;
    return Math.max(monotonicMs + untilOverMs, this.askedAtMs + keptMs);
  }

  get isDurable(): boolean {
    return this.windowMs > durableFromMs;
  }

  figures(): Figures {
    return [this.startsAtMs, this.windowMs, this.used + this.reserved, 0];
  }

  restore([startsAtMs, windowMs, used]: Figures): void {
    this.startsAtMs = startsAtMs;
    this.windowMs = windowMs;
    this.used = used;
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
