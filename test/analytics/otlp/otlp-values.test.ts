import fc from "fast-check";
import { expect, test } from "vitest";
import { attributesJson, otlpAttributes, textJson, unixNano } from "../../../src/analytics/otlp/otlp-values.ts";

const text = fc.string({ unit: "binary", maxLength: 40 });
const value = fc.oneof(
  text,
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.array(text, { maxLength: 3 }),
  fc.constant("ä".repeat(2_000)),
);

test("attributes that are written at once are those that are made one by one, whatever texts hold", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("a", "gen_ai.x", "b.c"), value), (values) => {
      expect(attributesJson(values)).toBe(JSON.stringify(otlpAttributes(values)));
    }),
  );
});

test("a text is JSON", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (each) => {
      expect(textJson(each)).toBe(JSON.stringify(each));
    }),
  );
});

test("times are exact to the microsecond, today and in a thousand years", () => {
  expect(unixNano(1_768_478_400_000.123)).toBe("1768478400000123000");
  expect(unixNano(32_503_680_000_000)).toBe("32503680000000000000");
});
