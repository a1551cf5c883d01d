import { writeSync } from "node:fs";
import { systemClock } from "../../../src/kernel/clock.ts";
import { openLimitJournal } from "../../../src/store/memory/limit-journal.ts";
import { createMemoryLimiter } from "../../../src/store/memory/limiter.ts";

// Counts for ever, and says after each step what is counted by then: how much, and at which keys.
const silent = (): void => undefined;
const log = { debug: silent, info: silent, warn: silent, error: silent };
const journal = openLimitJournal({ path: process.argv[2] ?? "", log, fileBytes: 5_000 });
const limiter = createMemoryLimiter({ clock: systemClock, maxKeys: 1_000, journal });

const rule = { type: "quota", limit: Number.MAX_SAFE_INTEGER, startsAtMs: 0, windowMs: 1e14 } as const;
for (let step = 0; ; step += 1) {
  const charges = [{ key: "all", rule, amount: 3 } as const, { key: `of ${step % 50}`, rule, amount: 3 } as const];
  const { reservation } = limiter.take(charges);
  if (reservation === undefined) throw new Error("it was refused");
  limiter.settle(reservation, [1, 1]);
  const [all, own] = limiter.look(charges);
  writeSync(1, `${JSON.stringify({ all: all?.used, key: `of ${step % 50}`, own: own?.used })}\n`);
}
