import { z } from "zod";
import type { ExchangePage, ExchangePageRequest, Selection } from "../../../analytics/analytics-reader.ts";
import type { ExchangeRow } from "../../../analytics/answers.ts";
import { exchangeRowSchema } from "../../../analytics/answers.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import { parseJson } from "../../../kernel/parse-json.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";

/** The recorded operations, newest first. A page's cursor is the place of its last row, so rows that come do not shift it. */
export async function exchanges(
  session: ClickHouseSession,
  selection: Selection,
  { limit, cursor, outcome }: ExchangePageRequest,
): Promise<ExchangePage> {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const conditions = [
    selectionCondition(selection),
    ...(outcome === undefined ? [] : ["outcome = {outcome:String}"]),
    ...(after === undefined ? [] : [afterCondition]),
  ];
  const rows = await askClickHouse(session, {
    sql: `SELECT *, toUnixTimestamp64Milli(ts) AS ts_ms FROM {db}.exchanges WHERE ${conditions.join(" AND ")}
ORDER BY ts DESC, exchange_id DESC, operation_id DESC LIMIT {limit:UInt32}`,
    parameters: {
      ...selectionParameters(selection),
      ...(outcome !== undefined && { outcome }),
      ...after,
      limit: limit + 1,
    },
    row: storedRowSchema,
  });
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit).map(({ ts_ms: _, ...row }) => shownExchange(row)),
    next: last && writeCursor(last),
  };
}

const afterCondition =
  "(ts, exchange_id, operation_id) < (fromUnixTimestamp64Milli({afterTs:Int64}), {afterExchange:UUID}, {afterOperation:UUID})";

const storedRowSchema = z.looseObject({ ts_ms: z.int(), exchange_id: z.string(), operation_id: z.string() });

/** Texts that are never empty when they are there; the table keeps nothing for those that are not. */
const optionalTexts = new Set(
  `trace_id environment auth_method key_id application_id plan_id operation_kind operation_name error_code error_detail
  denied_by usage_source era mcp_protocol_version direction message_type jsonrpc_id method primitive_type primitive_name
  resource_uri_hash client_name client_version server_name server_version session_id_hash result_type
  error_type cache_scope transport stage span_id arg_shape_hash cancelled_by task_id_hash client_id secret_id
  subject_hash def_hash members_missing cost_currency cost_source route_strategy route_name route_reason route_target
  shadow_strategy shadow_name shadow_reason shadow_target member filter_mode filter_reason cache cache_mode cache_reason
  route_usage_source upstream_primitive_name`.split(/\s+/),
);

/** A row as the table has it, without what is not the row's own, as it is shown. */
export function shownExchange(row: Readonly<Record<string, unknown>>): ExchangeRow {
  const members = Object.entries(row).map(([name, value]) => [
    name,
    value === "" && optionalTexts.has(name) ? null : value,
  ]);
  return exchangeRowSchema.parse(Object.fromEntries(members));
}

const cursorSchema = z.tuple([z.int(), z.guid(), z.guid()]);

function writeCursor({ ts_ms, exchange_id, operation_id }: z.output<typeof storedRowSchema>): string {
  return Buffer.from(JSON.stringify([ts_ms, exchange_id, operation_id])).toString("base64url");
}

function readCursor(cursor: string): Readonly<Record<string, string | number>> {
  try {
    const text = Buffer.from(cursor, "base64url").toString("utf8");
    const [afterTs, afterExchange, afterOperation] = cursorSchema.parse(parseJson(text));
    return { afterTs, afterExchange, afterOperation };
  } catch (cause) {
    throw new GatewayError("request.invalid", "The cursor is not one of this list.", { cause });
  }
}
