import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Charge } from "../../../src/pipeline/limiter.ts";
import type { LimitJournal } from "../../../src/store/memory/limit-journal.ts";
import { openLimitJournal } from "../../../src/store/memory/limit-journal.ts";
import type { MemoryLimiter } from "../../../src/store/memory/limiter.ts";
import { createMemoryLimiter } from "../../../src/store/memory/limiter.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import { temporaryDirectory } from "../sqlite/temporary-directory.ts";

const hourMs = 3_600_000;
let directory: ReturnType<typeof temporaryDirectory>;
let clock: ReturnType<typeof manualClock>;
let log: ReturnType<typeof memoryLog>;
let open: LimitJournal[];

beforeEach(() => {
  directory = temporaryDirectory();
  clock = manualClock();
  log = memoryLog();
  open = [];
});
afterEach(() => {
  for (const journal of open) journal[Symbol.dispose]();
  directory[Symbol.dispose]();
});

/** A limiter as a process would have it that starts now; the one before is as good as killed. */
function start(fileBytes?: number): MemoryLimiter {
  const journal = openLimitJournal({ path: directory.file("limits"), log, ...(fileBytes && { fileBytes }) });
  open.push(journal);
  return createMemoryLimiter({ clock, maxKeys: 10_000, journal });
}

function quota(parts: { key?: string; amount?: number; windowMs?: number; limit?: number } = {}): Charge {
  const { key = "q", amount = 1, windowMs = hourMs, limit = 100 } = parts;
  return {
    key,
    rule: { type: "quota", limit, startsAtMs: Math.floor(clock.now() / windowMs) * windowMs, windowMs },
    amount,
  };
}

const rate = (amount: number, windowMs = hourMs): Charge => ({
  key: "r",
  rule: { type: "rate", limit: 60, windowMs },
  amount,
});
const usedOf = (limiter: MemoryLimiter, charge: Charge): number => limiter.look([charge])[0]?.used ?? 0;

function settled(limiter: MemoryLimiter, charge: Charge, actual: number): void {
  const { reservation } = limiter.take([charge]);
  if (reservation === undefined) throw new Error("it was refused");
  limiter.settle(reservation, [actual]);
}

describe("after a restart", () => {
  test("what was settled is used, and what was reserved counts as spent", () => {
    const before = start();
    settled(before, quota({ amount: 10 }), 4);
    before.take([quota({ amount: 7 })]);
    expect(start().look([quota()])).toMatchObject([{ used: 11, reserved: 0, remaining: 89 }]);
  });

  test("a rate has what it had, less what has come back meanwhile", () => {
    start().take([rate(60)]);
    clock.advance(hourMs / 4);
    expect(start().take([rate(16)]).allowed).toBe(false);
    expect(start().take([rate(15)]).allowed).toBe(true);
  });

  test("windows of a minute and less begin anew, and places are free", () => {
    const place: Charge = { key: "p", rule: { type: "concurrent", limit: 1, leaseMs: hourMs }, amount: 1 };
    expect(start().take([quota({ amount: 100, windowMs: 60_000 }), rate(60, 60_000), place]).allowed).toBe(true);
    expect(start().take([quota({ amount: 100, windowMs: 60_000 }), rate(60, 60_000), place]).allowed).toBe(true);
  });

  test("a window that is over is forgotten, and takes no room", () => {
    start().take([quota({ amount: 5 })]);
    clock.advance(3 * hourMs);
    expect(start().size).toBe(0);
  });

  test("any key is known again", () => {
    const keys = ["", "a\nb", "\u{1f511}", "\ud800", "x".repeat(70_000)];
    const before = start();
    for (const [index, key] of keys.entries()) settled(before, quota({ key }), index + 1);
    const after = start();
    expect(keys.map((key) => usedOf(after, quota({ key })))).toEqual([1, 2, 3, 4, 5]);
  });

  test("of many takes, settlements and restarts all is known, in few and small files", () => {
    let limiter = start(2_000);
    const sums = new Map<string, number>();
    for (let step = 0; step < 3_000; step += 1) {
      if (step % 700 === 699) limiter = start(2_000);
      const key = `key ${step % 37}`;
      settled(limiter, quota({ key, amount: 5, limit: 1_000_000 }), step % 9);
      sums.set(key, (sums.get(key) ?? 0) + (step % 9));
    }
    const after = start();
    for (const [key, sum] of sums) expect(usedOf(after, quota({ key }))).toBe(sum);
    expect(files()).toHaveLength(1);
    expect(statSync(files()[0] ?? "").size).toBeLessThan(10_000);
    expect(log.lines).toEqual([]);
  });
});

describe("a damaged file", () => {
  test("is read up to the damage, wherever it is cut; that is logged, and counting goes on", () => {
    const before = start();
    for (let step = 0; step < 10; step += 1) settled(before, quota({ amount: 2 }), 1);
    const [path = ""] = files();
    const whole = readFileSync(path);
    const states = new Set<number>();
    for (let cut = 0; cut < whole.length; cut += 1) {
      for (const file of files()) rmSync(file);
      writeFileSync(path, whole.subarray(0, cut));
      log.lines.splice(0);
      const used = usedOf(start(), quota());
      states.add(used);
      if (log.lines.length > 0)
        expect(log.lines).toMatchObject([{ level: "warn", fields: { file: path, bytes: cut } }]);
    }
    expect(Math.max(...states)).toBeGreaterThanOrEqual(9);
    expect(Math.min(...states)).toBe(0);
    const after = start();
    const used = usedOf(after, quota());
    settled(after, quota(), 1);
    expect(usedOf(start(), quota())).toBe(used + 1);
  });

  test("gives no figure that was not written, whatever byte is another one", () => {
    const before = start();
    for (let step = 0; step < 5; step += 1) settled(before, quota({ amount: 2 }), 1);
    const [path = ""] = files();
    const whole = readFileSync(path);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const changed = Buffer.from(whole);
        changed[place] = (changed[place] ?? 0) ^ change;
        for (const file of files()) rmSync(file);
        writeFileSync(path, changed);
        expect(usedOf(start(), quota())).toBeLessThanOrEqual(6);
      }),
    );
  });

  test("with garbage behind it is read in full", () => {
    settled(start(), quota(), 1);
    appendFileSync(files()[0] ?? "", "garbage");
    expect(usedOf(start(), quota())).toBe(1);
    expect(log.lines).toMatchObject([{ level: "warn" }]);
  });

  test("of somebody else is left alone", () => {
    start();
    const other = join(directory.file("limits"), "notes.txt");
    writeFileSync(other, "mine");
    start();
    expect(readFileSync(other, "utf8")).toBe("mine");
  });
});

test("while nothing can be written, counting goes on and it is logged; once it can, all is written down", () => {
  const limiter = start(500);
  const charge = quota({ amount: 2, limit: 1_000_000 });
  settled(limiter, charge, 1);
  rmSync(directory.file("limits"), { recursive: true });
  for (let step = 0; step < 100; step += 1) settled(limiter, charge, 1); // comes to the next file
  expect(usedOf(limiter, charge)).toBe(101);
  expect(log.lines).toMatchObject([{ level: "error" }]);
  mkdirSync(directory.file("limits"));
  clock.advance(10_000);
  limiter.take([quota({ key: "another" })]);
  expect(usedOf(start(), charge)).toBe(101);
});

test("what is settled after the end is no fault", () => {
  const limiter = start();
  const { reservation } = limiter.take([quota()]);
  open[0]?.[Symbol.dispose]();
  if (reservation !== undefined) limiter.settle(reservation, [1]);
  expect(log.lines).toEqual([]);
});

function files(): readonly string[] {
  return readdirSync(directory.file("limits"))
    .filter((name) => name.startsWith("limits-"))
    .map((name) => join(directory.file("limits"), name));
}
