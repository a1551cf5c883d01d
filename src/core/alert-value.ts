import type { AlertSpec } from "./alert.ts";

type Row = Readonly<Record<string, unknown>>;

/** The value that an alert looks at, of the rows of an answer; undefined where there is none, or too little traffic for one. */
export function alertValue(
  { field, per, combine, where, atLeast }: Pick<AlertSpec, "field" | "per" | "combine" | "where" | "atLeast">,
  rows: readonly Row[],
): number | undefined {
  const own = rows.filter((row) => Object.entries(where).every(([path, text]) => String(at(row, path)) === text));
  if (atLeast !== undefined && sum(numbers(own, atLeast.field)) < atLeast.sum) return undefined;
  const values = numbers(own, field);
  if (per !== undefined) {
    const whole = sum(numbers(own, per));
    return whole === 0 ? undefined : sum(values) / whole;
  }
  if (combine === "sum") return sum(values);
  if (values.length === 0) return undefined;
  return combine === "max" ? Math.max(...values) : Math.min(...values);
}

/**
 * How unlike a value is what was before, in standard deviations of a normal distribution: from the median, by the median
 * absolute deviation, or by the mean one where most were equal. Infinite where all were equal and it is not. Undefined where
 * there is too little to compare with.
 * @see Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993)
 */
export function deviationsFrom(before: readonly number[], value: number): number | undefined {
  if (before.length < leastBefore) return undefined;
  const middle = medianOf(before);
  const distances = before.map((each) => Math.abs(each - middle));
  const distance = value - middle;
  if (distance === 0) return 0;
  const median = medianOf(distances);
  if (median > 0) return distance / (median * 1.4826);
  return distance / ((sum(distances) / distances.length) * 1.253314);
}

/** The median; 0 of nothing. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}

const leastBefore = 5;

// Sums of money come as text, exact to the last digit.
function numbers(rows: readonly Row[], path: string): readonly number[] {
  return rows.flatMap((row) => {
    const value = at(row, path);
    const number = typeof value === "string" && value !== "" ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number) ? [number] : [];
  });
}

function at(row: unknown, path: string): unknown {
  return path.split(".").reduce((holder: unknown, name) => {
    return typeof holder === "object" && holder !== null && Object.hasOwn(holder, name)
      ? Reflect.get(holder, name)
      : undefined;
  }, row);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
