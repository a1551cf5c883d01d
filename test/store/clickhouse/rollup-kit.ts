import { expect } from "vitest";
import { insertExchanges } from "../../../bench/questions/synthetic-rows.ts";
import type { Latency } from "../../../src/analytics/answers.ts";
import type { ClickHouseClients, ClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "../../../src/store/clickhouse/migrations/clickhouse-migrations.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import { askEngine } from "../../kit/embedded-clickhouse.ts";

/** The steps of the schema that count rows beside themselves. */
export const rollupMigrations = clickHouseMigrations.filter((migration) =>
  migration.statements(singleNode).some((statement) => statement.includes("ADD PROJECTION")),
);

/** The rollups of `exchanges` by their names. */
export const rollupNames = rollupMigrations
  .flatMap((migration) => migration.statements(singleNode))
  .flatMap((statement) => /^ALTER TABLE exchanges ADD PROJECTION IF NOT EXISTS (\w+)/.exec(statement)?.[1] ?? []);

/** The schema as it was before there were rollups: what is inserted now has none. */
export async function forgetRollups({ writer, database }: ClickHouseClients): Promise<void> {
  const [first] = rollupMigrations;
  for (const name of rollupNames) {
    await writer.command({ query: `ALTER TABLE ${database}.exchanges DROP PROJECTION IF EXISTS ${name}` });
  }
  await writer.command({
    query: `ALTER TABLE ${database}.schema_migrations DELETE WHERE number >= ${first?.number} SETTINGS mutations_sync = 2`,
  });
}

export interface RollupRows {
  readonly rows: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Which of them come with this insert; all unless told. */
  readonly part?: { readonly first: number; readonly count: number };
}

export async function insertRows(
  session: ClickHouseSession,
  { rows, fromMs, toMs, part = { first: 0, count: rows } }: RollupRows,
): Promise<void> {
  await session.use(({ writer, database }) =>
    writer.command({ query: insertExchanges(database, { seed: 11, rows, fromMs, toMs }, part) }),
  );
}

/** That each question which rollups answer tells what the rows tell, and counts so many requests. */
export async function expectFiguresOfRows(
  session: ClickHouseSession,
  selection: { readonly fromMs: number; readonly toMs: number },
  requests: number,
): Promise<void> {
  const [byRollups, byRows] = [createAnalyticsReader(session), createAnalyticsReader(withoutRollups(session))];
  const traffic = await byRollups.traffic(selection, 86_400);
  expect(traffic.reduce((sum, each) => sum + each.requests, 0)).toBe(requests);
  expect(traffic).toEqual(await byRows.traffic(selection, 86_400));
  expect(await byRollups.errors(selection, 500)).toEqual(await byRows.errors(selection, 500));
  const [found, exact] = [await byRollups.latency(selection, 100), await byRows.latency(selection, 100)];
  expect(found.map(shown)).toEqual(exact.map(shown));
  // Digests that are put together are as good as one of all: within three in a hundred.
  const shares = found.map(({ durationMs }, place) => (durationMs.p95 ?? 1) / (exact[place]?.durationMs.p95 ?? 1));
  expect(shares.filter((share) => share < 0.97 || share > 1.03)).toEqual([]);
}

function shown({ apiId, requests }: Latency): readonly unknown[] {
  return [apiId, requests];
}

/** How many parts of `exchanges` have rows and not all rollups yet. */
export async function partsWithoutRollups(session: ClickHouseSession): Promise<number> {
  const names = rollupNames.map((name) => `'${name}'`).join(", ");
  const { parts } = await askEngine(
    session,
    `SELECT toUInt32(count()) AS parts FROM system.parts WHERE database = 'gatehouse' AND active
AND table = 'exchanges' AND rows > 0 AND NOT hasAll(projections, [${names}])`,
  );
  return Number(parts);
}

/** A session whose questions read rows only. */
function withoutRollups(session: ClickHouseSession): ClickHouseSession {
  type Reader = ClickHouseClients["reader"];
  const byRows = (reader: Reader): Reader =>
    new Proxy(reader, {
      get(target, name): unknown {
        if (name !== "query") return Reflect.get(target, name);
        return (asked: Parameters<Reader["query"]>[0]) =>
          // The product asks for lines of JSON, which the narrower type stands for.
          target.query({
            ...asked,
            format: "JSONEachRow",
            clickhouse_settings: { ...asked.clickhouse_settings, optimize_use_projections: 0 },
          });
      },
    });
  return { ...session, use: (work) => session.use((clients) => work({ ...clients, reader: byRows(clients.reader) })) };
}
