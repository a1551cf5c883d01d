import type { Clock } from "../../src/kernel/clock.ts";

/** A clock that stands still until `advance` moves it; timers that fall due are called in order. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** @param startMs milliseconds since the epoch at which the clock begins */
export function manualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let now = startMs;
  let timers: { readonly at: number; readonly call: () => void }[] = [];
  return {
    now: () => now,
    monotonic: () => now,
    after(delayMs, call) {
      const timer = { at: now + delayMs, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const due = timers.filter((timer) => timer.at <= until).toSorted((left, right) => left.at - right.at)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        now = Math.max(now, due.at);
        due.call();
      }
      now = until;
    },
  };
}
