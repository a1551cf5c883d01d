import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/kernel/clock.ts";
import type { RunningWriter } from "./open-writer.ts";

export interface SteadyOrder {
  /** Of both tables together. */
  readonly rowsPerSecond: number;
  /** Called about a hundred times a second; recording goes on until it answers false. */
  readonly goesOn: (elapsedMs: number) => boolean;
}

/** Records rows at that rate, by the time that has passed: a pause is made up for. Answers the seconds that it took. */
export async function recordSteadily(writer: RunningWriter, { rowsPerSecond, goesOn }: SteadyOrder): Promise<number> {
  const startMs = systemClock.monotonic();
  const before = writer.recorded;
  for (;;) {
    const elapsedMs = systemClock.monotonic() - startMs;
    const due = before + (elapsedMs / 1_000) * rowsPerSecond;
    writer.record(Math.max(0, Math.floor((due - writer.recorded) / 2)));
    if (!goesOn(elapsedMs)) return elapsedMs / 1_000;
    await delay(10);
  }
}
