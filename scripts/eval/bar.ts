/** A figure and the bar that it is judged by. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly least?: number;
  readonly most?: number;
}

/** Also true for a figure that is no number. */
export function isMissed({ value, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: Bar): boolean {
  return !(value >= least && value <= most);
}

/** One line: the figure, the bar and whether it is met. */
export function barLine(bar: Bar): string {
  const digits = bar.value < 10 ? 3 : 1;
  const bound = bar.least === undefined ? `at most ${bar.most}` : `at least ${Number(bar.least.toFixed(2))}`;
  const verdict = isMissed(bar) ? "MISSED" : "met";
  return `${verdict.padEnd(7)} ${bar.name}: ${bar.value.toFixed(digits)} ${bar.unit} (${bound})`;
}
