import { z } from "zod";
import type { Selection } from "../../../analytics/analytics-reader.ts";
import type { CostGroup, CostPage, CostRequest, CostStep } from "../../../analytics/cost-answers.ts";
import { costRowSchema } from "../../../analytics/cost-answers.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import { parseJson } from "../../../kernel/parse-json.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";

/**
 * What tries have cost, by step, group and currency. A page's cursor has the range and the place of its last row; as long
 * as no more rows come to that range, each group is on one page.
 */
export async function costs(
  session: ClickHouseSession,
  asked: Selection,
  { groupBy, granularity, provider, limit, cursor }: CostRequest,
): Promise<CostPage> {
  const { range, after }: Continued = cursor === undefined ? { range: asked } : readCursor(cursor);
  const selection = { ...asked, fromMs: range.fromMs, toMs: range.toMs };
  const conditions = [
    selectionCondition(selection, "attempts"),
    "(cost_source = 'unknown' OR cost_currency != '')",
    ...(provider === undefined ? [] : ["provider = {provider:String}"]),
  ];
  const rows = await askClickHouse(session, {
    sql: `SELECT ${stepColumns[granularity]} AS at, ${groupColumn(groupBy)} AS groupKey, cost_currency AS currency,
  any(api_name) AS apiName, sum(cost) AS total, if(total IS NULL, NULL, ifNull(sumIf(cost, cost_source = 'estimated'), 0)) AS estimated,
  count() AS tries, countIf(cost_source = 'unknown') AS unknown, sum(ifNull(input_tokens, 0)) AS inputTokens,
  sum(ifNull(cached_input_tokens, 0)) AS cachedInputTokens, sum(ifNull(cache_write_tokens, 0)) AS cacheWriteTokens,
  sum(ifNull(output_tokens, 0)) AS outputTokens, sum(ifNull(reasoning_tokens, 0)) AS reasoningTokens,
  ifNull(total, toDecimal128(0, 9)) AS dearness
FROM {db}.attempts WHERE ${conditions.join(" AND ")} GROUP BY at, groupKey, currency
${after === undefined ? "" : afterCondition} ORDER BY at, dearness DESC, groupKey, currency LIMIT {limit:UInt32}`,
    parameters: {
      ...selectionParameters(selection),
      ...(provider !== undefined && { provider }),
      ...(typeof groupBy === "object" && { label: groupBy.label }),
      ...after,
      limit: limit + 1,
    },
    row: rowSchema,
  });
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { rows: rows.slice(0, limit).map((row) => shown(row, groupBy)), next: last && writeCursor(selection, last) };
}

const afterCondition =
  "HAVING (at, -dearness, groupKey, currency) > (fromUnixTimestamp64Milli({afterAt:Int64}, 'UTC'), -toDecimal128({afterCost:String}, 9), {afterGroup:String}, {afterCurrency:String})";

const stepColumns: Readonly<Record<CostStep, string>> = {
  total: "fromUnixTimestamp64Milli({from:Int64}, 'UTC')",
  hour: "toDateTime64(toStartOfHour(ts), 3, 'UTC')",
  day: "toDateTime64(toStartOfDay(ts), 3, 'UTC')",
  week: "toDateTime64(toMonday(ts), 3, 'UTC')",
  month: "toDateTime64(toStartOfMonth(ts), 3, 'UTC')",
};

const groupColumns: Readonly<Record<CostGroup, string>> = {
  team: "team_id",
  api: "api_id",
  application: "application_id",
  key: "key_id",
  provider: "provider",
  model: "model",
};

function groupColumn(groupBy: CostRequest["groupBy"]): string {
  return typeof groupBy === "object" ? "labels[{label:String}]" : `toString(${groupColumns[groupBy]})`;
}

const moneySchema = z.string().nullable();

const rowSchema = z.object({
  at: z.iso.datetime(),
  groupKey: z.string(),
  currency: z.string(),
  apiName: z.string(),
  total: moneySchema,
  estimated: moneySchema,
  tries: z.int(),
  unknown: z.int(),
  inputTokens: z.int(),
  cachedInputTokens: z.int(),
  cacheWriteTokens: z.int(),
  outputTokens: z.int(),
  reasoningTokens: z.int(),
  dearness: z.string(),
});

type StoredRow = z.output<typeof rowSchema>;

function shown(
  { groupKey, apiName, currency, total, dearness: _, ...row }: StoredRow,
  groupBy: CostRequest["groupBy"],
): CostPage["rows"][number] {
  return costRowSchema.parse({
    ...row,
    cost: total,
    group: groupKey === "" ? null : groupKey,
    name: groupBy === "api" ? apiName : null,
    currency: currency === "" ? null : currency,
  });
}

const cursorSchema = z.tuple([
  z.int(),
  z.int(),
  z.int(),
  z.string().regex(/^-?\d{1,29}(\.\d{1,9})?$/),
  z.string(),
  z.string(),
]);

function writeCursor({ fromMs, toMs }: Selection, { at, dearness, groupKey, currency }: StoredRow): string {
  const place = [fromMs, toMs, Date.parse(at), dearness, groupKey, currency];
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

interface Continued {
  readonly range: Pick<Selection, "fromMs" | "toMs">;
  /** The parameters of `afterCondition`. */
  readonly after?: Readonly<Record<string, string | number>>;
}

function readCursor(cursor: string): Continued {
  try {
    const text = Buffer.from(cursor, "base64url").toString("utf8");
    const [fromMs, toMs, afterAt, afterCost, afterGroup, afterCurrency] = cursorSchema.parse(parseJson(text));
    return { range: { fromMs, toMs }, after: { afterAt, afterCost, afterGroup, afterCurrency } };
  } catch (cause) {
    throw new GatewayError("request.invalid", "The cursor is not one of this list.", { cause });
  }
}
