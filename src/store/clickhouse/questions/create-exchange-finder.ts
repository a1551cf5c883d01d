import { z } from "zod";
import type { ExchangeFinder } from "../../../analytics/explain-rows.ts";
import { explainedAttemptSchema, explainedRowSchema } from "../../../analytics/explain-rows.ts";
import type { ClickHouseSession } from "../clickhouse-session.ts";
import { askClickHouse } from "./ask-clickhouse.ts";

/** Finds the rows of one exchange, by its id, which tells the time from which on they are looked for. */
export function createExchangeFinder(session: ClickHouseSession): ExchangeFinder {
  return {
    async find(exchangeId, teamIds) {
      const id = uuidSchema.safeParse(exchangeId).data;
      if (id === undefined || teamIds?.length === 0) return undefined;
      const team = teamIds === undefined ? "" : "AND has(splitByChar(',', {teamIds:String}), team_id)";
      const where = `WHERE exchange_id = {id:UUID} AND ts >= fromUnixTimestamp64Milli({from:Int64}) ${team}`;
      const parameters = {
        id,
        from: madeAtMs(id) - clockSlackMs,
        ...(teamIds !== undefined && { teamIds: teamIds.join(",") }),
      };
      const ask = <Row extends z.ZodType>(sql: string, row: Row) => askClickHouse(session, { sql, parameters, row });
      const rows = await ask(
        `SELECT * FROM {db}.exchanges ${where} ORDER BY ts, operation_id LIMIT 1000`,
        storedSchema,
      );
      const read = rows.map((row) => explainedRowSchema.parse(withoutEmpty(row)));
      if (read.length === 0) return undefined;
      const tries = await ask(`SELECT * FROM {db}.attempts ${where} ORDER BY ts, attempt LIMIT 1000`, storedSchema);
      const attempts = tries.map((row) => explainedAttemptSchema.parse(withoutEmpty(row)));
      const snapshots = await askClickHouse(session, {
        sql: "SELECT document FROM {db}.config_snapshots WHERE hash = {hash:String} LIMIT 1",
        parameters: { hash: read[0]?.config_hash ?? "" },
        row: z.object({ document: z.string() }),
      });
      return { rows: read, attempts, document: snapshots[0]?.document };
    },
  };
}

const uuidSchema = z.guid();
const storedSchema = z.record(z.string(), z.unknown());

/** Clocks of gateways differ, and a row's time is taken beside its id. */
const clockSlackMs = 60_000;

/** The time in a UUIDv7 (RFC 9562, 5.7); of another UUID the epoch, from which everything is looked through. */
function madeAtMs(id: string): number {
  return id[14] === "7" ? Number.parseInt(id.slice(0, 13).replace("-", ""), 16) : clockSlackMs;
}

/** Texts that were absent are empty in the table. */
function withoutEmpty(row: z.output<typeof storedSchema>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === "" ? null : value]));
}
