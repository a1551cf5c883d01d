import type { ClickHouseClient } from "@clickhouse/client";
import { z } from "zod";
import type { ClickHouseDialect } from "./clickhouse-migration.ts";

/** Tables whose rows go with time. */
const tables = ["exchanges", "attempts", "governance_events"] as const;

/**
 * Lets the tables keep their rows for so many days, and changes nothing where they do already: a change makes the store
 * look at all its parts again.
 */
export async function setRetention(
  client: ClickHouseClient,
  database: string,
  days: number,
  { onCluster }: ClickHouseDialect,
): Promise<void> {
  for (const table of tables) {
    if ((await keptDays(client, database, table)) === days) continue;
    await client.command({
      query: `ALTER TABLE \`${database}\`.${table}${onCluster} MODIFY TTL toDateTime(ts) + INTERVAL ${days} DAY`,
    });
  }
}

/** As the store writes it down; undefined when it is of another form than ours. */
async function keptDays(client: ClickHouseClient, database: string, table: string): Promise<number | undefined> {
  const result = await client.query({
    query:
      "SELECT extract(engine_full, 'toIntervalDay.([0-9]+)') AS days FROM system.tables WHERE database = {database:String} AND name = {table:String}",
    query_params: { database, table },
    format: "JSONEachRow",
  });
  const [row] = z.array(z.object({ days: z.string() })).parse(await result.json());
  return row === undefined || row.days === "" ? undefined : Number(row.days);
}
