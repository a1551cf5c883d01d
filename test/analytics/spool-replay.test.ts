import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSnapshotOutbox } from "../../src/analytics/snapshot-outbox.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { exchangeRow } from "../kit/event-rows.ts";
import type { FaultyEventStore, InsertFault } from "../kit/faulty-event-store.ts";
import { lineOf } from "../kit/line-of.ts";
import { keysOf, openReplay as open, record } from "../kit/replay-kit.ts";
import { numbers, openSpool } from "../kit/spool-kit.ts";

describe("when all goes well", () => {
  test("every event is in the store once, those of one table in order", async () => {
    const { spool, start, store } = await open();
    await record(spool, 50);
    await using replay = await start({ blockBytes: 2_048 });
    await replay.catchUp();
    expect(store.rows.toSorted()).toEqual(keysOf(50).toSorted());
    const sent = store.batches.filter(({ table }) => table === "exchanges").map(({ rows }) => rows.toString("utf8"));
    expect(sent.join("")).toBe(
      numbers(50)
        .map((number) => lineOf(exchangeRow(number)).replace('"exchange",', ""))
        .join(""),
    );
    expect(store.batches.length).toBeGreaterThan(10);
    expect(replay.state).toEqual({ backlogBytes: 0, written: 100, rejected: 0, lastError: undefined });
  });

  test("looks at the spool each second, and asks nothing of the store without a new event", async () => {
    const { spool, start, store, clock } = await open();
    await using _replay = await start();
    clock.advance(1_000);
    await record(spool, 1);
    expect(store.batches).toEqual([]);
    await expect.poll(() => (clock.advance(1_000), store.rows.length), { interval: 2 }).toBe(2);
    clock.advance(10_000);
    expect(store.batches).toHaveLength(2);
  });

  test("while events come all the time it looks every five seconds, for fewer inserts", async () => {
    const { spool, start, store, clock } = await open();
    const { watched, delays } = watch(clock);
    await using _replay = await start({ clock: watched });
    await expect.poll(() => delays.length, { interval: 2 }).toBe(1);
    for (const [look, events] of [0, 1, 1, 1, 0, 1, 1].entries()) {
      await record(spool, events, look);
      clock.advance(delays.at(-1) ?? 0);
      await expect.poll(() => delays.length, { interval: 2 }).toBe(look + 2);
    }
    expect(delays).toEqual([0, 1_000, 1_000, 5_000, 5_000, 1_000, 1_000, 5_000]);
    expect(store.rows).toHaveLength(10);
  });

  test("goes on where the last one ended", async () => {
    const { spool, start, store } = await open();
    await record(spool, 10);
    const first = await start();
    await first.catchUp();
    await first[Symbol.asyncDispose]();
    const batches = store.batches.length;
    await record(spool, 10, 10);
    await using second = await start();
    await second.catchUp();
    expect(store.rows.toSorted()).toEqual(keysOf(20).toSorted());
    expect(store.batches.slice(batches).every(({ count }) => count === 10)).toBe(true);
  });
});

describe("when the store fails", () => {
  const fault = fc.constantFrom<InsertFault>("none", "before", "after", "half", "noted", "late");

  test("every event is in the store once, whatever fails and whenever the process is killed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fault, { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 800, max: 9_000 }),
        async (faults, runs, blockBytes) => {
          const { spool, start, store } = await open();
          store.faults.push(...faults);
          let recorded = 0;
          for (const count of runs) {
            await record(spool, count, recorded);
            recorded += count;
            // Never disposed: what a killed process knew is gone, only the files stay.
            const killed = await start({ blockBytes });
            await killed.catchUp();
          }
          for (let rest = 0; rest <= faults.length; rest += 1) await (await start({ blockBytes })).catchUp();
          expect(store.rows.toSorted()).toEqual(keysOf(recorded).toSorted());
        },
      ),
      { numRuns: 60 },
    );
  });

  test("events wait in the spool, it is tried again after longer and longer pauses, and the log hears of it once a minute", async () => {
    const { spool, start, store, clock, log } = await open();
    await record(spool, 1);
    store.faults.push(...Array.from({ length: 7 }, () => "before" as const));
    const { watched, delays } = watch(clock);
    await using _replay = await start({ clock: watched });
    for (let tries = 1; tries <= 8; tries += 1) {
      clock.advance(delays.at(-1) ?? 0);
      await expect.poll(() => delays.length, { interval: 2 }).toBe(tries + 1);
    }
    expect(delays).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 1_000]);
    expect(store.rows).toHaveLength(2);
    expect(log.lines.filter((line) => line.startsWith("events wait"))).toHaveLength(2);
  });

  test("says what it waits for", async () => {
    const { spool, start, store } = await open();
    await record(spool, 1);
    store.faults.push("before");
    await using replay = await start();
    await replay.catchUp();
    expect(replay.state.lastError).toBe("The store is away.");
    expect(replay.state.backlogBytes).toBeGreaterThan(300);
    await replay.catchUp();
    expect(replay.state).toEqual({ backlogBytes: 0, written: 2, rejected: 0, lastError: undefined });
  });
});

describe("what is in the spool", () => {
  test("a line that the store cannot read is left out and counted, and no other is lost", async () => {
    const { spool, start, store } = await open();
    for (const number of numbers(5)) spool.record(exchangeRow(number, { node: number === 3 ? "poison" : "node" }));
    await spool.flush();
    store.unreadable = "poison";
    await using replay = await start();
    await replay.catchUp();
    expect(store.rows).toHaveLength(4);
    expect(replay.state).toMatchObject({ backlogBytes: 0, written: 4, rejected: 1 });
  });

  test("a line that a crash cut off, or that is no event, is passed over", async () => {
    const first = await open();
    await record(first.spool, 2);
    await first.spool[Symbol.asyncDispose]();
    const [segment = ""] = await readdir(first.directory);
    await appendFile(join(first.directory, segment), 'not an event\n["exchange",17');
    const second = await open({ directory: first.directory });
    await record(second.spool, 1, 2);
    await using replay = await second.start();
    await replay.catchUp();
    expect(second.store.rows.toSorted()).toEqual(keysOf(3).toSorted());
    expect(replay.state).toMatchObject({ backlogBytes: 0, rejected: 1 });
  });

  test("a line larger than a block goes whole", async () => {
    const { spool, start, store } = await open();
    spool.record(exchangeRow(0, { error_detail: "x".repeat(50_000) }));
    spool.record(exchangeRow(1));
    await spool.flush();
    await using replay = await start({ blockBytes: 1_024 });
    await replay.catchUp();
    expect(store.rows).toHaveLength(2);
  });

  test("a segment that was deleted to stay within the bound is passed over", async () => {
    const { spool, start, store, directory } = await open();
    await record(spool, 5);
    const again = await openSpool({ directory });
    await record(again.spool, 5, 5);
    const [oldest = ""] = await readdir(directory);
    await rm(join(directory, oldest));
    await using replay = await start({ spool: again.spool });
    await replay.catchUp();
    expect(store.rows).toHaveLength(10);
    await again.spool[Symbol.asyncDispose]();
  });

  test("events that are in the store are not counted as dropped when their segment goes", async () => {
    const { spool, start } = await open({ maxBytes: 8_192 });
    await using replay = await start();
    for (const from of numbers(10)) {
      await record(spool, 3, from * 3);
      await replay.catchUp();
    }
    expect(spool.dropped).toBe(0);
    await replay[Symbol.asyncDispose]();
    await record(spool, 30, 30);
    expect(spool.dropped).toBeGreaterThan(0);
  });
});

describe("the checkpoint", () => {
  test.each([
    { name: "lost", spoil: (path: string) => rm(path) },
    { name: "spoilt", spoil: (path: string) => writeFile(path, "{") },
  ])("when it is $name, rows that are there are not doubled", async ({ spoil }) => {
    const { spool, start, store, directory } = await open();
    await record(spool, 20);
    const first = await start({ blockBytes: 2_048 });
    await first.catchUp();
    await first[Symbol.asyncDispose]();
    await spoil(`${directory}-checkpoint`);
    await record(spool, 5, 20);
    await using second = await start({ blockBytes: 7_000 });
    await second.catchUp();
    expect(store.rows.toSorted()).toEqual(keysOf(25).toSorted());
  });

  test("is on disk before the insert that it speaks of", async () => {
    const { spool, start, store, directory } = await open();
    await record(spool, 1);
    const seen: unknown[] = [];
    const watching = {
      ...store,
      insert: async (...call: Parameters<typeof store.insert>) => {
        seen.push(JSON.parse(await readFile(`${directory}-checkpoint`, "utf8")));
        return store.insert(...call);
      },
    };
    await using replay = await start({ store: watching });
    await replay.catchUp();
    const { name, bytes } = spool.segments()[0] ?? { name: "", bytes: 0 };
    expect(seen[0]).toMatchObject({ done: { segment: "" }, pending: { segment: name, from: 0, to: bytes } });
  });
});

describe("configurations", () => {
  const hash = "ab".repeat(32);

  test("are in the store before the first row that names them", async () => {
    const { spool, start, store, directory } = await open();
    const snapshots = await openSnapshotOutbox(`${directory}-snapshots`);
    await snapshots.put(hash, { apis: [] });
    const order: string[] = [];
    const watching: FaultyEventStore = {
      ...store,
      insert: async (...call) => {
        order.push("rows");
        await store.insert(...call);
      },
      putSnapshot: async (name, document) => void order.push(`${name} ${document}`),
    };
    await record(spool, 1);
    await using replay = await start({ store: watching, snapshots });
    await replay.catchUp();
    expect(order).toEqual([`${hash} {"apis":[]}`, "rows", "rows"]);
    expect(await readdir(`${directory}-snapshots`)).toEqual([]);
  });

  test("wait for the store over a restart, and go out once", async () => {
    const { spool, start, store, directory } = await open();
    await (await openSnapshotOutbox(`${directory}-snapshots`)).put(hash, { apis: [1] });
    const snapshots = await openSnapshotOutbox(`${directory}-snapshots`);
    await snapshots.put(hash, { apis: [2] });
    await record(spool, 1);
    await using replay = await start({ snapshots });
    await replay.catchUp();
    expect([...store.snapshots]).toEqual([[hash, '{"apis":[1]}']]);
  });
});

/** A clock that notes for how long somebody has waited on it. */
function watch(clock: Clock): { readonly watched: Clock; readonly delays: readonly number[] } {
  const delays: number[] = [];
  const after: Clock["after"] = (delayMs, call) => {
    delays.push(delayMs);
    return clock.after(delayMs, call);
  };
  return { watched: { ...clock, after }, delays };
}
