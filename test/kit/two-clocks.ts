import type { ManualClock } from "./manual-clock.ts";
import { manualClock } from "./manual-clock.ts";

/** A clock driven by hand whose time of day can be set without any time passing. */
export interface TwoClocks extends ManualClock {
  /** @param ms how far the time of day is set forward, or back when it is negative */
  jump(ms: number): void;
}

/** The time of day and the clock that never goes back, which begins at 1 000 000 ms. */
export function twoClocks(): TwoClocks {
  const clock = manualClock();
  const startMs = clock.now();
  let setMs = 0;
  return {
    ...clock,
    now: () => clock.now() + setMs,
    monotonic: () => clock.monotonic() - startMs + 1_000_000,
    jump: (ms) => void (setMs += ms),
  };
}
