/** The digest of a column's values, as the rollup of times has it; digests are put together by `digestColumns`. */
export function digestState(column: string): string {
  return `quantilesTDigestState(${shares})(${column})`;
}

/** Percentiles of digests as the columns `<name>50`, `<name>90`, `<name>95` and `<name>99`. */
export function digestColumns(name: string): string {
  const levels = [50, 90, 95, 99].map((level, index) => `round(${name}All[${index + 1}], 3) AS ${name}${level}`);
  return `quantilesTDigestMerge(${shares})(${name}) AS ${name}All, ${levels.join(", ")}`;
}

const shares = "0.5, 0.9, 0.95, 0.99";
