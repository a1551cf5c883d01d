import type { LimitDecision, LimitRule, LimitStanding } from "../../pipeline/limiter.ts";
import type { Expiring } from "./expiry-heap.ts";
import type { Figures } from "./journal-record.ts";

/** Windows that are longer are kept over a restart. */
export const durableFromMs = 60_000;

/** One moment on both clocks, in whole milliseconds. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * What one charge took from one counter. `units` were added; `mark` is what the counter needs to settle them: the
 * window or the moment that they were taken in.
 */
export interface Part {
  readonly counter: Counter;
  readonly units: number;
  readonly mark: number;
  readonly lease: Lease | undefined;
}

/** A place that somebody holds. */
export interface Lease {
  readonly units: number;
  readonly leaseMs: number;
  untilMs: number;
}

/** The count of one key. It answers at once; whoever asks brings it to the moment first. */
export interface Counter extends Expiring {
  readonly type: LimitRule["type"];
  readonly key: string;
  /** The rule that holds for it now. */
  readonly rule: LimitRule | undefined;
  /** Brings it to this moment and under this rule; nobody's use changes by it. */
  bring(rule: LimitRule, now: Moment): void;
  /** Adds units when they fit; undefined and unchanged when they don't. */
  add(units: number, now: Moment): Part | undefined;
  /** Takes back what was added in this same moment. */
  undo(part: Part): void;
  settle(part: Part, actual: number, now: Moment): void;
  renew(part: Part, now: Moment): void;
  /** Forgets what was used, and goes on under this rule. */
  clear(rule: LimitRule): void;
  decide(units: number, allowed: boolean, now: Moment): LimitDecision;
  standing(now: Moment): LimitStanding;
  /** When nothing more depends on it, on the clock that never goes back. */
  freeAt(now: Moment): number;
  /** Whether it may be forgotten before that to make room for another. */
  readonly mayBeForgotten: boolean;
  /** Whether it counts for longer than a restart takes, and is kept over one. */
  readonly isDurable: boolean;
  /** The journal's own: under which number, and in which file, it has the counter. */
  journalId: number;
  journalFile: number;
  /** What it takes to go on counting in another process. */
  figures(now: Moment): Figures;
  /** Goes on from there. What was reserved is used; nobody will settle it. */
  restore(figures: Figures, now: Moment): void;
}
