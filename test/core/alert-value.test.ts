import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alertValue, deviationsFrom, medianOf } from "../../src/core/alert-value.ts";

const plain = { field: "failed", per: undefined, combine: "sum", where: {}, atLeast: undefined } as const;
const tools = [
  { tool: "a", calls: 10, failed: 1, durationMs: { p99: 100 } },
  { tool: "b", calls: 30, failed: 3, durationMs: { p99: null } },
  { tool: "c", calls: 0, failed: 0, durationMs: { p99: 700 } },
];

describe("the value of an answer", () => {
  const cases = [
    { name: "is the sum of a field", spec: plain, value: 4 },
    { name: "is a share where it is per another field", spec: { ...plain, per: "calls" }, value: 0.1 },
    { name: "is of the rows that are asked for", spec: { ...plain, where: { tool: "b" } }, value: 3 },
    {
      name: "is the greatest of those that are there",
      spec: { ...plain, field: "durationMs.p99", combine: "max" },
      value: 700,
    },
    {
      name: "is none where the whole is nothing",
      spec: { ...plain, per: "calls", where: { tool: "c" } },
      value: undefined,
    },
    {
      name: "is none with too little traffic",
      spec: { ...plain, atLeast: { field: "calls", sum: 41 } },
      value: undefined,
    },
    { name: "is there with just enough traffic", spec: { ...plain, atLeast: { field: "calls", sum: 40 } }, value: 4 },
    { name: "is nothing where no row has the field", spec: { ...plain, field: "toString" }, value: 0 },
  ] as const;
  test.each(cases)("$name", ({ spec, value }) => {
    expect(alertValue(spec, tools)).toBe(value);
  });

  test("counts money, which comes as text", () => {
    expect(alertValue({ ...plain, field: "cost" }, [{ cost: "0.25" }, { cost: null }, { cost: "1.5" }])).toBe(1.75);
  });
});

describe("how unlike a value is what was before", () => {
  test("is told in standard deviations, and one wild value before changes little", () => {
    expect(deviationsFrom([9, 10, 11, 10, 9, 11, 1_000], 13)).toBeCloseTo(3 / 1.4826);
  });

  test("is told by the mean where most were equal, and is infinite where all were", () => {
    expect(deviationsFrom([5, 5, 5, 5, 10], 7)).toBeCloseTo(2 / 1.253314);
    expect(deviationsFrom([5, 5, 5, 5, 5], 6)).toBe(Number.POSITIVE_INFINITY);
    expect(deviationsFrom([5, 5, 5, 5, 5], 5)).toBe(0);
  });

  test("is not told of fewer than five", () => {
    expect(deviationsFrom([1, 2, 3, 4], 100)).toBeUndefined();
  });

  test("is the same whatever the unit and wherever zero is", () => {
    const some = fc.integer({ min: -1_000, max: 1_000 });
    fc.assert(
      fc.property(
        fc.array(some, { minLength: 5 }),
        some,
        fc.integer({ min: 1, max: 9 }),
        some,
        (past, value, scale, by) => {
          const moved =
            deviationsFrom(
              past.map((each) => each * scale + by),
              value * scale + by,
            ) ?? 0;
          const plainly = deviationsFrom(past, value) ?? 0;
          if (Number.isFinite(plainly)) expect(moved).toBeCloseTo(plainly, 6);
          else expect(moved).toBe(plainly);
        },
      ),
    );
  });
});

test("half of the values are on each side of the median", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const median = medianOf(values);
      expect(values.filter((each) => each < median).length).toBeLessThanOrEqual(values.length / 2);
      expect(values.filter((each) => each > median).length).toBeLessThanOrEqual(values.length / 2);
    }),
  );
});
