import fc from "fast-check";
import { expect, test } from "vitest";
import { createMessageQueue } from "../../../../src/gateway/mcp/face/message-queue.ts";

test("whatever the order of putting and taking, everything comes once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 300 }), async (puts) => {
      const queue = createMessageQueue<number>();
      const taken: Promise<number | undefined>[] = [];
      let last = 0;
      let waits = false;
      for (const isPut of puts) {
        if (isPut) void queue.put((last += 1));
        else if (taken.length < last || !waits) {
          waits = taken.length >= last;
          taken.push(queue.take());
        }
        if (taken.length <= last) waits = false;
      }
      queue.end();
      while (taken.length < last) taken.push(queue.take());
      const got = await Promise.all(taken);
      expect(got.filter((item) => item !== undefined)).toEqual(Array.from({ length: last }, (_, at) => at + 1));
      expect(await queue.take()).toBeUndefined();
    }),
  );
});

test("the maker waits while the taker is behind, and no longer", async () => {
  const queue = createMessageQueue<number>();
  let put = 0;
  while (queue.put(put) === undefined) put += 1;
  expect(put).toBe(63);
  let isFree = false;
  void Promise.resolve(queue.put(64)).then(() => {
    isFree = true;
  });
  await queue.take();
  expect(isFree).toBe(false);
  await queue.take();
  await Promise.resolve();
  expect(isFree).toBe(true);
});

test("an error comes after what was put before it, and frees who waits", async () => {
  const queue = createMessageQueue<number>();
  void queue.put(1);
  queue.fail(new Error("broken"));
  expect(queue.put(2)).toBeUndefined();
  expect(await queue.take()).toBe(1);
  await expect(queue.take()).rejects.toThrow("broken");
});
