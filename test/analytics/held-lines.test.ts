import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHeldLines } from "../../src/analytics/held-lines.ts";

/** Holds a line of so many bytes for each number; the last is the line feed. */
function holdLines({ maxBytes = 16_000_000, longestLine = 2_000_000 } = {}) {
  const memories = new Set<ArrayBufferLike>();
  const write = (length: number, memory: Buffer, at: number): number => {
    if (length < 1) throw new RangeError("no line");
    memories.add(memory.buffer);
    if (at + length <= memory.length) memory.write(lineOf(length), at, "latin1");
    return at + length;
  };
  return { held: createHeldLines({ maxBytes, longestLine, write }), memories };
}

function lineOf(length: number): string {
  return `${"x".repeat(length - 1)}\n`;
}

/** Takes everything, in bites of at most `bite` bytes where a line is no longer than that. */
function takeAll(held: ReturnType<typeof holdLines>["held"], bite: number): string {
  let text = "";
  while (held.bytes > 0) {
    const first = held.first();
    const cut = first.subarray(0, bite).lastIndexOf(0x0a) + 1;
    const length = cut > 0 ? cut : first.indexOf(0x0a) + 1;
    text += first.toString("latin1", 0, length);
    held.take(length);
  }
  return text;
}

describe("lines", () => {
  const lengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 300_000 })), {
    maxLength: 12,
  });

  test("come out whole and in order, however large they are and however they are taken", () => {
    fc.assert(
      fc.property(lengths, lengths, fc.integer({ min: 1, max: 500_000 }), (first, second, bite) => {
        const { held } = holdLines();
        for (const batch of [first, second]) {
          for (const length of batch) expect(held.add(length)).toBe("kept");
          expect(held.bytes).toBe(batch.reduce((sum, length) => sum + length, 0));
          expect(takeAll(held, bite) === batch.map(lineOf).join("")).toBe(true);
        }
        expect(held.first()).toHaveLength(0);
      }),
      { numRuns: 40 },
    );
  });

  test("that are not kept leave the others as they are", () => {
    const { held } = holdLines({ maxBytes: 1_000_000, longestLine: 700_000 });
    expect(held.add(700_001)).toBe("too long");
    expect(held.add(600_000)).toBe("kept");
    expect(held.add(400_001)).toBe("full");
    expect(() => held.add(0)).toThrow("no line");
    expect(held.add(400_000)).toBe("kept");
    expect(takeAll(held, 1_000_000) === lineOf(600_000) + lineOf(400_000)).toBe(true);
  });

  test("are counted when they are let go", () => {
    const { held } = holdLines();
    for (const length of [5, 300_000, 5]) held.add(length);
    expect(held.clear()).toBe(3);
    expect([held.bytes, held.first().length, held.clear()]).toEqual([0, 0, 0]);
  });

  test("use one page again and again as long as it is taken in time", () => {
    const { held, memories } = holdLines();
    for (let round = 0; round < 50; round += 1) {
      for (let line = 0; line < 100; line += 1) held.add(2_000);
      takeAll(held, 1_000_000);
    }
    expect(memories.size).toBe(1);
  });
});
