import { z } from "zod";
import type { ExchangeFinder } from "../../../analytics/explain-rows.ts";
import { explainedAttemptSchema, explainedRowSchema } from "../../../analytics/explain-rows.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse } from "./ask-clickhouse.ts";
import { stillKept } from "./create-capture-reader.ts";
import { exchangeCondition } from "./exchange-condition.ts";

/** Finds the rows of one exchange, by its id, which tells the time from which on they are looked for. */
export function createExchangeFinder(session: ClickHouseSession): ExchangeFinder {
  return {
    async find(exchangeId, teamIds) {
      const condition = exchangeCondition(exchangeId, teamIds);
      if (condition === undefined) return undefined;
      const { where, parameters } = condition;
      const ask = <Row extends z.ZodType>(sql: string, row: Row) => askClickHouse(session, { sql, parameters, row });
      const rows = await ask(
        `SELECT * FROM {db}.exchanges ${where} ORDER BY ts, operation_id LIMIT 1000`,
        storedSchema,
      );
      const read = rows.map((row) => explainedRowSchema.parse(withoutEmpty(row)));
      if (read.length === 0) return undefined;
      const tries = await ask(`SELECT * FROM {db}.attempts ${where} ORDER BY ts, attempt LIMIT 1000`, storedSchema);
      const attempts = tries.map((row) => explainedAttemptSchema.parse(withoutEmpty(row)));
      const captured = await ask(
        `SELECT count() AS captures FROM {db}.captures ${where} AND ${stillKept}`,
        z.object({ captures: z.int() }),
      );
      const snapshots = await askClickHouse(session, {
        sql: "SELECT document FROM {db}.config_snapshots WHERE hash = {hash:String} LIMIT 1",
        parameters: { hash: read[0]?.config_hash ?? "" },
        row: z.object({ document: z.string() }),
      });
      return { rows: read, attempts, document: snapshots[0]?.document, captures: captured[0]?.captures ?? 0 };
    },
  };
}

const storedSchema = z.record(z.string(), z.unknown());

/** Texts that were absent are empty in the table. */
function withoutEmpty(row: z.output<typeof storedSchema>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === "" ? null : value]));
}
