import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createLanes } from "../../../src/quickstart/notes-server/create-lanes.ts";

test("never more tasks at once than there are lanes, each exactly once, in the order they came", async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 5 }), lengths, async (count, turns) => {
      const inLane = createLanes(count);
      const begun: number[] = [];
      let running = 0;
      let most = 0;
      const results = await Promise.allSettled(
        turns.map((length, index) =>
          inLane(async () => {
            begun.push(index);
            running += 1;
            most = Math.max(most, running);
            for (let turn = 0; turn < length; turn += 1) await nextTurn();
            running -= 1;
            if (length === 3) throw new Error(`task ${index}`);
            return index;
          }),
        ),
      );
      expect(most).toBe(Math.min(count, turns.length));
      expect(begun).toEqual(turns.map((_, index) => index));
      expect(results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason)))).toEqual(
        turns.map((length, index) => (length === 3 ? `Error: task ${index}` : index)),
      );
    }),
    { numRuns: 100 },
  );
});
