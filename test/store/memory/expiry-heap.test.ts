import fc from "fast-check";
import { expect, test } from "vitest";
import type { Expiring } from "../../../src/store/memory/expiry-heap.ts";
import { createExpiryHeap } from "../../../src/store/memory/expiry-heap.ts";

test("the first entry is the earliest, whatever was added, moved and removed before", () => {
  const time = fc.nat(50);
  const change = fc.oneof(
    fc.record({ type: fc.constant("add" as const), freeAtMs: time }),
    fc.record({ type: fc.constant("move" as const), freeAtMs: time, which: fc.nat() }),
    fc.record({ type: fc.constant("remove" as const) }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const heap = createExpiryHeap<Expiring>();
      const inside = new Set<Expiring>();
      for (const step of changes) {
        if (step.type === "add") {
          const entry = { freeAtMs: step.freeAtMs, place: 0 };
          inside.add(entry);
          heap.add(entry);
        } else if (step.type === "move") {
          const entry = [...inside][step.which % inside.size];
          if (entry === undefined) continue;
          entry.freeAtMs = step.freeAtMs;
          heap.moved(entry);
        } else {
          const removed = heap.removeFirst();
          expect(removed === undefined ? inside.size === 0 : inside.delete(removed)).toBe(true);
        }
        const earliest = inside.size === 0 ? undefined : Math.min(...[...inside].map((entry) => entry.freeAtMs));
        expect(heap.first?.freeAtMs).toBe(earliest);
      }
    }),
  );
});
