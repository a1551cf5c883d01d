import { describe, expect, test } from "vitest";
import { exchangeRow, uuidOf } from "../kit/event-rows.ts";
import { openReplay as open, record } from "../kit/replay-kit.ts";

describe("at the end", () => {
  test("what is left is carried to a store that takes events", async () => {
    const { spool, start, store } = await open();
    await record(spool, 1);
    const replay = await start();
    await replay.catchUp();
    spool.record(exchangeRow(1));
    await replay[Symbol.asyncDispose]();
    expect(store.rows).toContain(`exchanges/${uuidOf(1)}/${uuidOf(1)}`);
  });

  test("a store that nobody has needed yet is not started", async () => {
    const { spool, start, store } = await open();
    const replay = await start();
    await replay.catchUp();
    await record(spool, 1);
    await replay[Symbol.asyncDispose]();
    expect(store.batches).toEqual([]);
  });

  test("a store that does not answer is waited for two seconds, and the next start carries the rest once", async () => {
    const { spool, start, store, clock } = await open();
    await record(spool, 1);
    const asked = Promise.withResolvers<void>();
    let isHanging = false;
    const hanging = {
      ...store,
      insert: (...call: Parameters<typeof store.insert>) => {
        if (!isHanging) return store.insert(...call);
        asked.resolve();
        return new Promise<void>((_, reject) => {
          call[1].addEventListener("abort", () => reject(new Error("aborted")));
        });
      },
    };
    const replay = await start({ store: hanging });
    await replay.catchUp();
    isHanging = true;
    spool.record(exchangeRow(1));
    const ended = replay[Symbol.asyncDispose]();
    await asked.promise;
    clock.advance(2_000);
    await ended;
    expect(store.rows).toHaveLength(2);
    await using next = await start();
    await next.catchUp();
    expect(store.rows).toHaveLength(3);
  });
});
