import { z } from "zod";
import type { LiveReader } from "../../../analytics/live-reader.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import { parseJson } from "../../../kernel/parse-json.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse, selectionCondition, selectionParameters } from "./ask-clickhouse.ts";
import { shownExchange } from "./exchanges.ts";

/** Reads rows in the order of `stored_at`, which the store's own clock gives to each block that it takes in. */
export function createLiveReader(session: ClickHouseSession): LiveReader {
  return {
    async now() {
      const [row] = await askClickHouse(session, {
        sql: `SELECT toUnixTimestamp64Milli(${settledUntil}) AS at`,
        parameters: {},
        row: z.object({ at: z.int() }),
      });
      return cursorOf(row?.at ?? 0, lastId, lastId);
    },
    async after(cursor, { outcome, ...filter }, limit) {
      const [at, exchange, operation] = placeOf(cursor);
      // The index finds what came lately; the range of `ts` keeps the search to few parts of a large table.
      const selection = { ...filter, fromMs: Math.max(0, at - latestMs), toMs: endOfTimeMs };
      const conditions = [
        selectionCondition(selection),
        "stored_at >= fromUnixTimestamp64Milli({at:Int64})",
        "(stored_at, exchange_id, operation_id) > (fromUnixTimestamp64Milli({at:Int64}), {exchange:UUID}, {operation:UUID})",
        `stored_at <= ${settledUntil}`,
        ...(outcome === undefined ? [] : ["outcome = {outcome:String}"]),
      ];
      const rows = await askClickHouse(session, {
        sql: `SELECT *, toUnixTimestamp64Milli(stored_at) AS stored_ms FROM {db}.exchanges WHERE ${conditions.join(" AND ")}
ORDER BY stored_at, exchange_id, operation_id LIMIT {limit:UInt32}`,
        parameters: {
          ...selectionParameters(selection),
          ...(outcome !== undefined && { outcome }),
          at,
          exchange,
          operation,
          limit,
        },
        row: storedSchema,
      });
      return rows.map(({ stored_ms, ...row }) => ({
        row: shownExchange(row),
        cursor: cursorOf(stored_ms, row.exchange_id, row.operation_id),
      }));
    },
  };
}

/** A block has its time before its rows can be seen: one that takes longer than this could be passed by. */
const settledUntil = "now64(3, 'UTC') - INTERVAL 2 SECOND";
/** Rows of gateways that were away may come this late. */
const latestMs = 7 * 86_400_000;
const endOfTimeMs = Date.UTC(2100, 0);

const lastId = "ffffffff-ffff-ffff-ffff-ffffffffffff";

const storedSchema = z.looseObject({ stored_ms: z.int(), exchange_id: z.string(), operation_id: z.string() });
const cursorSchema = z.tuple([z.int().min(0).max(endOfTimeMs), z.guid(), z.guid()]);

function cursorOf(at: number, exchange: string, operation: string): string {
  return Buffer.from(JSON.stringify([at, exchange, operation])).toString("base64url");
}

function placeOf(cursor: string): z.output<typeof cursorSchema> {
  try {
    return cursorSchema.parse(parseJson(Buffer.from(cursor, "base64url").toString("utf8")));
  } catch (cause) {
    throw new GatewayError("request.invalid", "The cursor is not one of a live tail.", { cause });
  }
}
