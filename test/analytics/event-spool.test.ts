import { spawn } from "node:child_process";
import { appendFile, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineOf } from "../kit/line-of.ts";
import { attempts, event, newDirectory, numbers, openSpool } from "../kit/spool-kit.ts";

describe("recording", () => {
  test("writes a batch 200 ms after its first event, and nothing before", async () => {
    const { spool, clock, directory } = await openSpool();
    spool.record(event(0));
    clock.advance(199);
    spool.record(event(1));
    expect(await readdir(directory)).toEqual([]);
    clock.advance(1);
    await expect.poll(() => attempts(directory), { interval: 2 }).toEqual([0, 1]);
    await spool[Symbol.asyncDispose]();
  });

  test("writes at once when many wait", async () => {
    const { spool, clock, directory } = await openSpool();
    for (const number of numbers(32)) spool.record(event(number, "x".repeat(10_000)));
    clock.advance(0);
    await expect.poll(() => attempts(directory), { interval: 2 }).toEqual(numbers(32));
    await spool[Symbol.asyncDispose]();
  });

  test("keeps the files to their owner", async () => {
    const { spool, directory } = await openSpool();
    spool.record(event(0));
    await spool.flush();
    const [name = ""] = await readdir(directory);
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    await spool[Symbol.asyncDispose]();
  });

  test("writes what is held when it is disposed, and counts what comes later", async () => {
    const { spool, directory } = await openSpool();
    for (const number of numbers(1_234)) spool.record(event(number));
    await spool[Symbol.asyncDispose]();
    spool.record(event(9_999));
    expect(await attempts(directory)).toEqual(numbers(1_234));
    expect([spool.spooled, spool.dropped]).toEqual([1_234, 1]);
  });

  test("an event that is no JSON or larger than a segment is dropped alone", async () => {
    const { spool, directory } = await openSpool({ maxBytes: 80_000 });
    spool.record(event(0));
    spool.record({ ...event(1), ts: 1n as unknown as number }); // what a fault of ours might put there
    spool.record(event(2, "x".repeat(10_001)));
    spool.record(event(3));
    await spool[Symbol.asyncDispose]();
    expect(await attempts(directory)).toEqual([0, 3]);
    expect(spool.dropped).toBe(2);
  });
});

describe("the bound", () => {
  test("holds in memory: what does not fit is counted", async () => {
    const lineBytes = lineOf(event(0)).length;
    const { spool, directory, log } = await openSpool({ maxHeldBytes: 10 * lineBytes });
    for (const number of numbers(32)) spool.record(event(number % 10));
    expect(spool.dropped).toBe(22);
    expect(log.lines).toHaveLength(1);
    await spool[Symbol.asyncDispose]();
    expect(await attempts(directory)).toEqual(numbers(10));
  });

  test("holds on disk: the oldest go, the rest stays in order, and every event is either there or counted", async () => {
    const sizes = fc.array(fc.nat({ max: 900 }), { minLength: 1, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 40 }), async (targets, flushEvery) => {
        const { spool, directory } = await openSpool({ maxBytes: 10_000 });
        for (const [number, size] of targets.entries()) {
          spool.record(event(number, "x".repeat(size)));
          if (number % flushEvery === 0) await spool.flush();
        }
        await spool[Symbol.asyncDispose]();
        expect(await totalBytes(directory)).toBeLessThanOrEqual(10_000);
        const kept = await attempts(directory);
        expect(kept.length + spool.dropped).toBe(targets.length);
        expect(kept).toEqual(kept.toSorted((left, right) => left - right));
        expect(kept.at(-1) ?? targets.length).toBeGreaterThanOrEqual(targets.length - 1 - oversize(targets));
      }),
      { numRuns: 25 },
    );
  });

  /** Events at the end that no segment of 1,250 bytes can hold. */
  function oversize(targets: readonly number[]): number {
    return targets.filter((size) => lineOf(event(100, "x".repeat(size))).length > 1_250).length;
  }

  test("counts what earlier runs left", async () => {
    const first = await openSpool({ maxBytes: 10_000 });
    for (const number of numbers(40)) first.spool.record(event(number));
    await first.spool[Symbol.asyncDispose]();
    const second = await openSpool({ maxBytes: 10_000, directory: first.directory });
    for (const number of numbers(40, 40)) second.spool.record(event(number));
    await second.spool[Symbol.asyncDispose]();
    expect(await totalBytes(first.directory)).toBeLessThanOrEqual(10_000);
    expect((await attempts(first.directory)).length + first.spool.dropped + second.spool.dropped).toBe(80);
  });

  async function totalBytes(directory: string): Promise<number> {
    let total = 0;
    for (const name of await readdir(directory)) total += (await stat(join(directory, name))).size;
    return total;
  }
});

describe("segments", () => {
  test("are final once a newer one is there, and their names only rise", async () => {
    const { spool, directory } = await openSpool({ maxBytes: 8_192 });
    const seen = new Map<string, string>();
    for (const number of numbers(90)) {
      spool.record(event(number));
      await spool.flush();
      const names = (await readdir(directory)).toSorted();
      for (const name of names.slice(0, -1)) {
        const content = await readFile(join(directory, name), "utf8");
        expect(seen.get(name) ?? content).toBe(content);
        seen.set(name, content);
      }
      expect(names.at(-1)).toBe([...seen.keys(), ...names].toSorted().at(-1));
    }
    expect(seen.size).toBeGreaterThan(3);
    await spool[Symbol.asyncDispose]();
  });

  test("a name is not used again after a reader took all of them away", async () => {
    const first = await openSpool();
    first.spool.record(event(0));
    await first.spool[Symbol.asyncDispose]();
    const [before = ""] = await readdir(first.directory);
    await rm(join(first.directory, before));
    first.clock.advance(1);
    const second = await openSpool({ directory: first.directory, clock: first.clock });
    second.spool.record(event(1));
    await second.spool[Symbol.asyncDispose]();
    const [after = ""] = await readdir(first.directory);
    expect(after > before).toBe(true);
  });

  test("nothing is put behind a line that was cut by a crash", async () => {
    const first = await openSpool();
    first.spool.record(event(0));
    await first.spool[Symbol.asyncDispose]();
    const [torn = ""] = await readdir(first.directory);
    await appendFile(join(first.directory, torn), '["attempt",1,"e"');
    const content = await readFile(join(first.directory, torn), "utf8");
    const second = await openSpool({ directory: first.directory });
    second.spool.record(event(2));
    await second.spool[Symbol.asyncDispose]();
    expect(await attempts(first.directory)).toEqual([0, 2]);
    expect(await readFile(join(first.directory, torn), "utf8")).toBe(content);
  });
});

test("kill -9 takes nothing that was flushed", async () => {
  const directory = await newDirectory();
  const source = `
    import { openEventSpool } from ${JSON.stringify(join(import.meta.dirname, "../../src/analytics/event-spool.ts"))};
    import { systemClock } from ${JSON.stringify(join(import.meta.dirname, "../../src/kernel/clock.ts"))};
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const spool = await openEventSpool({ directory: ${JSON.stringify(directory)}, maxBytes: 1e6, clock: systemClock, log });
    for (let attempt = 0; ; attempt += 1) {
      spool.record({ type: "attempt", attempt, target: "x".repeat(attempt % 50) });
      if (attempt % 7 === 0) { await spool.flush(); console.log(attempt); }
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let flushed = -1;
  for await (const line of createInterface(child.stdout)) {
    if (flushed < 200) flushed = Number(line);
    if (flushed >= 200) child.kill("SIGKILL");
  }
  const found = await attempts(directory);
  expect(found.length).toBeGreaterThan(flushed);
  expect(found).toEqual(numbers(found.length));
});

describe("a disk that fails", () => {
  async function breakDisk(directory: string): Promise<void> {
    await rm(directory, { recursive: true });
    await writeFile(directory, "in the way");
  }

  test("is reported once a minute and tried each second, and no event is lost or doubled when it is back", async () => {
    const { spool, clock, log, directory } = await openSpool();
    await breakDisk(directory);
    spool.record(event(0));
    clock.advance(200);
    await expect.poll(() => spool.writeErrors, { interval: 2 }).toBe(1);
    spool.record(event(1));
    for (const second of numbers(59, 2)) {
      clock.advance(1_000);
      await expect.poll(() => spool.writeErrors, { interval: 2 }).toBe(second);
    }
    expect(log.lines).toEqual(["events cannot be written"]);
    clock.advance(1_000);
    await expect.poll(() => log.lines, { interval: 2 }).toHaveLength(2);
    await rm(directory);
    spool.record(event(2));
    clock.advance(1_000);
    await expect.poll(() => attempts(directory).catch(() => []), { interval: 2 }).toEqual([0, 1, 2]);
    expect(spool.dropped).toBe(0);
    await spool[Symbol.asyncDispose]();
  });

  test("counts as dropped what it would not take at the end", async () => {
    const { spool, directory } = await openSpool();
    await breakDisk(directory);
    spool.record(event(0));
    spool.record(event(1));
    await spool[Symbol.asyncDispose]();
    expect(spool.dropped).toBe(2);
  });
});
