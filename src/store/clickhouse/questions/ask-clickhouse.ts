import { z } from "zod";
import type { ExportFormat, Selection } from "../../../analytics/analytics-reader.ts";
import type { QuestionTable } from "../../../analytics/questions/define-question.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";

/** A SELECT without FORMAT. `{name:Type}` stands for a parameter; `{db}` for the database. */
export interface Question<Row extends z.ZodType> {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly row: Row;
}

/** What one question may take, in seconds. */
const maxSeconds = 10;

/** Asks, within limits of time and memory, and gives the rows as the schema has them. */
export async function askClickHouse<Row extends z.ZodType>(
  session: ClickHouseSession,
  { sql, parameters, row }: Question<Row>,
): Promise<readonly z.output<Row>[]> {
  return session.use(async ({ reader, database }) => {
    const result = await reader.query({
      query: sql.replaceAll("{db}", database),
      query_params: { ...parameters },
      format: "JSONEachRow",
      clickhouse_settings: { ...questionSettings, max_execution_time: maxSeconds },
    });
    return z.array(row).parse(await result.json());
  });
}

/** For all questions: nobody's takes the store from the others. */
export const questionSettings = {
  date_time_output_format: "iso",
  output_format_json_quote_64bit_integers: 0,
  output_format_json_quote_denormals: 0,
  output_format_json_quote_decimals: 1, // money is exact
  max_memory_usage: "1000000000",
  max_threads: 2,
  timeout_overflow_mode: "throw",
} as const;

/** Formats by the names that ClickHouse has for them. */
export const exportFormatNames: Readonly<Record<ExportFormat, string>> = {
  csv: "CSVWithNames",
  ndjson: "JSONEachRow",
  parquet: "Parquet",
};

/**
 * The condition of a selection on a table with `ts`, `api_id` and `team_id`; its parameters are those of
 * `selectionParameters`. Filters that a table has no columns for hold on it for nothing.
 */
export function selectionCondition(selection: Selection, table: QuestionTable = "exchanges"): string {
  const range = "ts >= fromUnixTimestamp64Milli({from:Int64}) AND ts < fromUnixTimestamp64Milli({to:Int64})";
  return `${range} AND ${scopeCondition(selection, table)}`;
}

/** What `selectionCondition` says beside the range; `true` when that is nothing. */
export function scopeCondition(selection: Selection, table: QuestionTable = "exchanges"): string {
  const { api, environment, teamIds } = selection;
  const filters = Object.entries(filterConditions[table]).flatMap(
    ([name, condition]) => (selection[name as FilterName] === undefined ? [] : [condition]), // the tables' own keys
  );
  const conditions = [
    ...(api === undefined ? [] : ["(api_id = {api:String} OR api_name = {api:String})"]),
    ...(environment === undefined ? [] : ["environment = {environment:String}"]),
    ...(teamIds === undefined
      ? []
      : [teamIds.length === 0 ? "false" : "has(splitByChar(',', {teamIds:String}), team_id)"]),
    ...filters,
  ];
  return conditions.length === 0 ? "true" : conditions.join(" AND ");
}

const filterNames = ["application", "key", "model", "tool", "client", "session"] as const;
type FilterName = (typeof filterNames)[number];

const filterConditions: Readonly<Record<QuestionTable, Partial<Readonly<Record<FilterName, string>>>>> = {
  exchanges: {
    application: "application_id = {application:String}",
    key: "key_id = {key:String}",
    model: "api_kind = 'LlmApi' AND operation_name = {model:String}",
    tool: "primitive_type = 'tool' AND primitive_name = {tool:String}",
    client: "client_name = {client:String}",
    session: "session_id_hash = {session:String}",
  },
  attempts: {
    application: "application_id = {application:String}",
    key: "key_id = {key:String}",
    model: "model = {model:String}",
  },
};

export function selectionParameters(selection: Selection): Readonly<Record<string, string | number>> {
  const { fromMs, toMs, api, environment, teamIds } = selection;
  const filters = filterNames.flatMap((name) => {
    const value = selection[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(filters),
    from: fromMs,
    to: toMs,
    ...(api !== undefined && { api }),
    ...(environment !== undefined && { environment }),
    ...(teamIds !== undefined && { teamIds: teamIds.join(",") }), // ids have no commas
  };
}

/** Percentiles of a column as the columns `<name>50`, `<name>90`, `<name>95` and `<name>99`. */
export function percentileColumns(column: string, name: string): string {
  const levels = [50, 90, 95, 99].map((level, index) => `round(${name}All[${index + 1}], 3) AS ${name}${level}`);
  return `quantilesTDigest(0.5, 0.9, 0.95, 0.99)(${column}) AS ${name}All, ${levels.join(", ")}`;
}

const numberOrNull = z.number().nullable();

/** The row members that `percentileColumns` makes, to be spread into a row's schema. */
export function percentileMembers<Name extends string>(name: Name) {
  const member = (level: number) => ({ [`${name}${level}`]: numberOrNull });
  // The names are computed, so they are told to the type here.
  return { ...member(50), ...member(90), ...member(95), ...member(99) } as Record<
    `${Name}${50 | 90 | 95 | 99}`,
    typeof numberOrNull
  >;
}

/** The percentiles of a row. */
export function percentilesOf<Name extends string>(
  row: Readonly<Record<`${Name}${50 | 90 | 95 | 99}`, number | null>>,
  name: Name,
) {
  return { p50: row[`${name}50`], p90: row[`${name}90`], p95: row[`${name}95`], p99: row[`${name}99`] };
}
