import type { ClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import type { SyntheticRows } from "./synthetic-rows.ts";
import { insertAttempts, insertExchanges } from "./synthetic-rows.ts";

/** Rows of one statement: a few seconds of work. */
const rowsAtOnce = 250_000;

/** Fills both tables, calling `onPart` after each part with how many exchanges are there. */
export async function fillStore(
  session: ClickHouseSession,
  set: SyntheticRows,
  onPart: (rows: number) => void,
): Promise<void> {
  for (let first = 0; first < set.rows; first += rowsAtOnce) {
    const part = { first, count: Math.min(rowsAtOnce, set.rows - first) };
    for (const statement of [insertExchanges, insertAttempts]) {
      await session.use(({ writer, database }) => writer.command({ query: statement(database, set, part) }));
    }
    onPart(first + part.count);
  }
}
