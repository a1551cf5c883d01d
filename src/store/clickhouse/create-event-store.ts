import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { z } from "zod";
import { eventColumns, keyColumns } from "../../analytics/event-columns.ts";
import type { EventStore, EventTable, RowKey } from "../../analytics/event-store.ts";
import { rowKeyText } from "../../analytics/event-store.ts";
import type { ClickHouseClients, ClickHouseSession } from "./clickhouse-session.ts";

/** Events into ClickHouse's tables. The lines go as they are; nothing of them is parsed here. */
export function createEventStore(session: ClickHouseSession): EventStore {
  return {
    insert: ({ table, rows, token, skipUnreadable }, signal) =>
      session.use(async ({ writer, database }) => {
        // Not the client's own `insert`: that would have each row as an object, to write it out again.
        const { stream } = await writer.exec({
          query: `INSERT INTO ${database}.${table} (${eventColumns[table].join(", ")}) FORMAT JSONCompactEachRow`,
          values: Readable.from([rows], { objectMode: false }),
          abort_signal: signal,
          clickhouse_settings: {
            ...insertSettings,
            insert_deduplication_token: token,
            ...(skipUnreadable && { input_format_allow_errors_num: "1000000000" }),
          },
        });
        await finished(stream.resume()); // the connection is free again when the answer was read
      }),
    present: (table, keys, signal) =>
      session.use(async (clients) => {
        const found = new Set<string>();
        for (let start = 0; start < keys.length; start += keysAtOnce) {
          const rows = await findKeys(clients, table, keys.slice(start, start + keysAtOnce), signal);
          for (const row of rows) found.add(rowKeyText(row));
        }
        return found;
      }),
    putSnapshot: (hash, document, atMs, signal) =>
      session.use(async ({ writer, database }) => {
        const table = `${database}.config_snapshots`;
        const known = await writer.query({
          query: `SELECT 1 AS known FROM ${table} WHERE hash = {hash:String} LIMIT 1`,
          query_params: { hash },
          format: "JSONEachRow",
          abort_signal: signal,
        });
        if ((await known.json()).length > 0) return;
        await writer.insert({
          table,
          values: [{ hash, seen_at: atMs, document }],
          format: "JSONEachRow",
          abort_signal: signal,
          clickhouse_settings: { ...insertSettings, insert_deduplication_token: hash },
        });
      }),
  };
}

/** An insert is answered when its rows are there; nothing that a later version of an event may have stops it. */
const insertSettings = {
  async_insert: 0,
  max_execution_time: 30,
  input_format_skip_unknown_fields: 1,
  input_format_json_compact_allow_variable_number_of_columns: 1,
  input_format_null_as_default: 1,
  input_format_json_named_tuples_as_objects: 1,
  input_format_json_ignore_unknown_keys_in_named_tuple: 1,
  input_format_json_defaults_for_missing_elements_in_named_tuple: 1,
} as const;

/** About 80 kB of statement: the engine takes 256. */
const keysAtOnce = 2_000;

const keyRowsSchema = z.array(z.strictObject({ exchangeId: z.string(), part: z.string() }));

async function findKeys(
  { writer, database }: ClickHouseClients,
  table: EventTable,
  keys: readonly RowKey[],
  signal: AbortSignal,
): Promise<z.output<typeof keyRowsSchema>> {
  const ids = [...new Set(keys.map(({ exchangeId }) => exchangeId))].filter((id) => uuidPattern.test(id));
  if (ids.length === 0) return [];
  const times = keys.map(({ ts }) => ts);
  const { id, part } = keyColumns[table];
  const result = await writer.query({
    query: `SELECT toString(${id}) AS exchangeId, toString(${part}) AS part FROM ${database}.${table}
WHERE ts >= fromUnixTimestamp64Milli({from:Int64}) AND ts <= fromUnixTimestamp64Milli({to:Int64})
AND ${id} IN (${ids.map((id) => `'${id}'`).join(",")})`,
    query_params: { from: Math.min(...times), to: Math.max(...times) },
    clickhouse_settings: { max_execution_time: 30, select_sequential_consistency: "1" },
    format: "JSONEachRow",
    abort_signal: signal,
  });
  return keyRowsSchema.parse(await result.json());
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
