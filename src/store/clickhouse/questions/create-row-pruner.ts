import { z } from "zod";
import type { RowPruner } from "../../../analytics/row-pruner.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";

const tables = ["exchanges", "attempts", "captures", "governance_events"] as const;

const partsSchema = z.array(z.object({ table: z.enum(tables), month: z.string().regex(/^\d{6}$/), rows: z.int() }));

/** Whole partitions, which are months: nothing is rewritten. */
export function createRowPruner(session: ClickHouseSession): RowPruner {
  return {
    before: (ms) =>
      session.use(async ({ writer, database }) => {
        const result = await writer.query({
          query: `SELECT table, partition_id AS month, sum(rows) AS rows FROM system.parts
WHERE database = {database:String} AND active AND table IN (${tables.map((each) => `'${each}'`).join(", ")}) AND partition_id < {first:String}
GROUP BY table, month HAVING rows > 0 ORDER BY table DESC, month`,
          query_params: { database, first: monthOf(ms) },
          clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
          format: "JSONEachRow",
        });
        const parts = partsSchema.parse(await result.json());
        return parts.map(({ month, ...part }) => ({ ...part, month: `${month.slice(0, 4)}-${month.slice(4)}` }));
      }),
    drop: (months) =>
      session.use(async ({ writer, database }) => {
        for (const { table, month } of months) {
          const partition = z
            .string()
            .regex(/^\d{4}-\d{2}$/)
            .parse(month)
            .replace("-", ""); // it stands in the statement
          await writer.command({ query: `ALTER TABLE ${database}.${table} DROP PARTITION ID '${partition}'` });
        }
      }),
  };
}

/** The month in which a moment lies, as partitions are named. */
function monthOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 7).replace("-", "");
}
