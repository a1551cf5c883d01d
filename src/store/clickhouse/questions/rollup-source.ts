import type { Selection } from "../../../analytics/analytics-reader.ts";
import { scopeCondition, selectionParameters } from "./ask-clickhouse.ts";

/** What stands after FROM, with the values of its `{name:Type}`. */
interface RollupSource {
  readonly from: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The steps of time in which `exchanges` is counted beside its rows: counts by the hour, times by the day (UTC). */
export const rollupSteps = {
  hour: { ms: 3_600_000, begin: "toStartOfHour(ts)" },
  day: { ms: 86_400_000, begin: "toStartOfDay(ts)" },
} as const;

type RollupStep = keyof typeof rollupSteps;

/**
 * The groups of a selection as one table, with the ends of the range that fill no step read by their rows. A group may come
 * up to three times: what is asked of it is put together again. Where there is no whole step, or a filter that rollups do not
 * have, all is read by rows.
 *
 * @param step undefined: rows only
 * @param select the SELECT of groups on `{db}.exchanges` under a condition; the engine answers it from a rollup when it
 * names nothing but the rollup's own keys and aggregates
 */
export function rollupSource(
  selection: Selection,
  step: RollupStep | undefined,
  select: (where: string) => string,
): RollupSource {
  const scope = scopeCondition(selection);
  const under = (range: string): string => select(`${range} AND ${scope}`);
  const parameters = selectionParameters(selection);
  const whole = step === undefined || hasRowFilter(selection) ? undefined : wholeSteps(selection, rollupSteps[step].ms);
  if (step === undefined || whole === undefined) return { from: `(${under(between("ts", "from", "to"))})`, parameters };
  const { fromMs, toMs } = whole;
  const parts = [
    under(between(rollupSteps[step].begin, "wholeFrom", "wholeTo")),
    ...(selection.fromMs < fromMs ? [under(between("ts", "from", "wholeFrom"))] : []),
    ...(toMs < selection.toMs ? [under(between("ts", "wholeTo", "to"))] : []),
  ];
  return {
    from: `(${parts.join("\nUNION ALL ")})`,
    parameters: { ...parameters, wholeFrom: fromMs, wholeTo: toMs },
  };
}

function between(time: string, from: string, to: string): string {
  return `${time} >= fromUnixTimestamp64Milli({${from}:Int64}) AND ${time} < fromUnixTimestamp64Milli({${to}:Int64})`;
}

function hasRowFilter({ application, key, model, tool, client, session }: Selection): boolean {
  return [application, key, model, tool, client, session].some((value) => value !== undefined);
}

/** The whole steps within a range. */
function wholeSteps({ fromMs, toMs }: Selection, stepMs: number): Pick<Selection, "fromMs" | "toMs"> | undefined {
  const whole = { fromMs: Math.ceil(fromMs / stepMs) * stepMs, toMs: Math.floor(toMs / stepMs) * stepMs };
  return whole.fromMs < whole.toMs ? whole : undefined;
}
