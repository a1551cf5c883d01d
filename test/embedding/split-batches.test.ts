import fc from "fast-check";
import { expect, test } from "vitest";
import { estimateTokens, headOf, splitBatches } from "../../src/embedding/split-batches.ts";

const limits = fc.record({ maxTexts: fc.integer({ min: 1, max: 8 }), maxTokens: fc.integer({ min: 1, max: 60 }) });

test("every text is in one batch, in order, and no batch is over its limits unless one text is", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 60 }), { maxLength: 40 }), limits, (texts, size) => {
      const batches = splitBatches(texts, size);
      expect(batches.flat()).toEqual([...texts.keys()]);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(size.maxTexts);
        const tokens = batch.reduce((sum, index) => sum + estimateTokens(texts[index] ?? ""), 0);
        if (batch.length > 1) expect(tokens).toBeLessThanOrEqual(size.maxTokens);
      }
    }),
  );
});

test("the head is the text's beginning, within the limit, whole characters, and as long as it may be", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.integer({ min: 1, max: 80 }), (text, maxTokens) => {
      const head = headOf(text, maxTokens);
      expect(text.startsWith(head)).toBe(true);
      expect(head.isWellFormed()).toBe(true);
      expect(estimateTokens(head)).toBeLessThanOrEqual(maxTokens);
      const next = text.codePointAt(head.length);
      if (next !== undefined) expect(estimateTokens(head + String.fromCodePoint(next))).toBeGreaterThan(maxTokens);
    }),
  );
});
