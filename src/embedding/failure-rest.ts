import type { Clock } from "../kernel/clock.ts";

export interface FailureRestOptions {
  readonly clock: Clock;
  /** Failures in a row after which calls stop; 0 for never. */
  readonly failures: number;
  /** Milliseconds of rest before one call may try again. */
  readonly openMs: number;
}

/** A circuit breaker for one place that is called. */
export interface FailureRest {
  /** Milliseconds to wait, 0 when a call may be made now. After the rest one caller at a time hears 0: it is the trial. */
  waitMs(): number;
  /** The result of a call that was let through; `unknown` frees a trial and changes nothing else. */
  note(health: "good" | "bad" | "unknown"): void;
}

/** Closed at the beginning. */
export function createFailureRest({ clock, failures, openMs }: FailureRestOptions): FailureRest {
  let inARow = 0;
  let restUntilMs: number | undefined;
  return {
    waitMs() {
      if (restUntilMs === undefined) return 0;
      const left = restUntilMs - clock.monotonic();
      if (left > 0) return left;
      // If the trial never reports, the next may try after another rest.
      restUntilMs = clock.monotonic() + openMs;
      return 0;
    },
    note(health) {
      if (health === "good") {
        inARow = 0;
        restUntilMs = undefined;
      } else if (health === "unknown") {
        if (restUntilMs !== undefined) restUntilMs = Math.min(restUntilMs, clock.monotonic());
      } else {
        inARow += 1;
        if (failures > 0 && inARow >= failures) restUntilMs = clock.monotonic() + openMs;
      }
    },
  };
}
