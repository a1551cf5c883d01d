import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import { openLimitJournal } from "../../../src/store/memory/limit-journal.ts";
import { createMemoryLimiter } from "../../../src/store/memory/limiter.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import { temporaryDirectory } from "../sqlite/temporary-directory.ts";

const kills = 12;
const rule = { type: "quota", limit: Number.MAX_SAFE_INTEGER, startsAtMs: 0, windowMs: 1e14 } as const;

test(`${kills} times kill -9 at any moment forgets nothing that was counted, and what was open counts as spent`, async () => {
  using directory = temporaryDirectory();
  const path = directory.file("limits");
  let steps = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const told = await countUntilKilled(path);
    steps += told.length;
    expectAllCounted(path, told);
  }
  expect(steps).toBeGreaterThan(kills);
}, 60_000);

interface Told {
  readonly all: number;
  readonly key: string;
  readonly own: number;
}

async function countUntilKilled(path: string): Promise<readonly Told[]> {
  const script = fileURLToPath(new URL("journal-child.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "pipe"] });
  const errors = text(child.stderr);
  const lines: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => lines.push(chunk));
  const ended = once(child, "close");
  await Promise.race([once(child.stdout, "data"), ended]);
  await delay(Math.random() * 60); // the moment has to be a random one of real time
  child.kill("SIGKILL");
  await ended;
  expect(await errors).toBe("");
  expect(child.signalCode).toBe("SIGKILL");
  const printed = Buffer.concat(lines).toString();
  const whole = printed.slice(0, printed.lastIndexOf("\n") + 1).split("\n");
  return whole.filter(Boolean).map((line) => JSON.parse(line) as Told); // as the child prints it
}

function expectAllCounted(path: string, told: readonly Told[]): void {
  const log = memoryLog();
  using journal = openLimitJournal({ path, log });
  const limiter = createMemoryLimiter({ clock: systemClock, maxKeys: 1_000, journal });
  const usedAt = (key: string): number => limiter.look([{ key, rule }])[0]?.used ?? 0;
  const owns = new Map(told.map(({ key, own }) => [key, own]));
  const all = told.at(-1)?.all ?? 0;
  // One step more may have been under way: reserved 3, or settled to 1.
  expect(usedAt("all")).toBeGreaterThanOrEqual(all);
  expect(usedAt("all")).toBeLessThanOrEqual(all + 4);
  let sum = 0;
  for (let key = 0; key < 50; key += 1) {
    const used = usedAt(`of ${key}`);
    expect(used).toBeGreaterThanOrEqual(owns.get(`of ${key}`) ?? 0);
    sum += used;
  }
  expect(sum).toBe(usedAt("all"));
  expect(readdirSync(path)).toHaveLength(1);
  expect(log.lines).toEqual([]);
}
