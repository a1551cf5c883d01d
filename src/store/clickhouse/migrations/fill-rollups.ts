import type { ClickHouseClient } from "@clickhouse/client";
import { z } from "zod";
import type { ClickHouseDialect } from "./clickhouse-migration.ts";

/**
 * Has rows of `exchanges` counted that came before a rollup of it did. It is begun here and goes on in the store, over restarts
 * of that too; until a part of the table has its rollup, its rows are read themselves. Call it when the schema is up to date: a
 * change of columns behind it would wait for it. Where all is counted, or is being counted already, nothing is begun.
 */
export async function fillRollups(
  client: ClickHouseClient,
  database: string,
  { onCluster }: ClickHouseDialect,
): Promise<void> {
  const list = async <Row extends z.ZodType>(query: string, row: Row): Promise<z.output<Row>[]> => {
    const result = await client.query({ query, query_params: { database }, format: "JSONEachRow" });
    return z.array(row).parse(await result.json());
  };
  const ofTable = "database = {database:String} AND table = 'exchanges'";
  const rollups = await list(`SELECT name FROM system.projections WHERE ${ofTable} ORDER BY name`, nameSchema);
  const parts = await list(
    `SELECT DISTINCT projections AS names FROM system.parts WHERE ${ofTable} AND active AND rows > 0`,
    z.object({ names: z.array(z.string()) }),
  );
  const begun = await list(
    `SELECT extract(command, 'MATERIALIZE PROJECTION (\\\\w+)') AS name FROM system.mutations WHERE ${ofTable} AND NOT is_done`,
    z.object({ name: z.string() }),
  );
  for (const { name } of rollups) {
    if (parts.every(({ names }) => names.includes(name)) || begun.some((each) => each.name === name)) continue;
    await client.command({
      query: `ALTER TABLE \`${database}\`.exchanges${onCluster} MATERIALIZE PROJECTION ${name} SETTINGS mutations_sync = 0`,
    });
  }
}

/** Our own names: they stand in statements. */
const nameSchema = z.object({ name: z.string().regex(/^\w+$/) });
