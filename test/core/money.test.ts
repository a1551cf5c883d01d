import fc from "fast-check";
import { expect, test } from "vitest";
import { formatNanos, moneySchema, toNanos } from "../../src/core/money.ts";

test.each([
  ["0", 0],
  ["25.00", 25_000_000_000],
  ["0.000000001", 1],
  ["9000000", 9_000_000_000_000_000],
  ["2.5", 2_500_000_000],
])("%s is counted exactly", (text, nanos) => {
  expect(moneySchema.parse(text)).toBe(text);
  expect(toNanos(text)).toBe(nanos);
});

test.each(["-1", "+1", "1e3", "1,5", ".5", "1.", "0.0000000001", "9000000.01", "99999999", "NaN", "", " 1", "1 ", 5])(
  "%s is no amount of money",
  (text) => {
    expect(moneySchema.safeParse(text).success).toBe(false);
  },
);

test("an amount that is written out and read again is the same", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_000_000_000_000_000 }), (nanos) => {
      expect(toNanos(moneySchema.parse(formatNanos(nanos)))).toBe(nanos);
    }),
  );
  expect([formatNanos(25_000_000_000), formatNanos(125_000), formatNanos(-1)]).toEqual([
    "25.00",
    "0.000125",
    "-0.000000001",
  ]);
});
