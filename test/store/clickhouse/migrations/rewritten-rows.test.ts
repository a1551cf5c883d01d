import { expect, test } from "vitest";
import { singleNode } from "../../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "../../../../src/store/clickhouse/migrations/clickhouse-migrations.ts";
import { runClickHouseMigrations } from "../../../../src/store/clickhouse/migrations/run-clickhouse-migrations.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../../kit/embedded-clickhouse.ts";
import { eventually } from "../../../kit/eventually.ts";
import { insertRows } from "../rollup-kit.ts";

/** A step that writes columns out for the rows from before. */
const rewriting = clickHouseMigrations.find(({ name }) => name === "add_shadow_spending");
const columns = ["shadow_input_tokens", "shadow_output_tokens", "shadow_route_cost"];

describeWithEngine("rows that are rewritten for a new version", () => {
  test("are waited for by the tries that come after one that was given up, and not rewritten by each", async () => {
    await using engine = startTestEngine();
    const { session } = engine;
    const command = (query: string) => session.use(({ writer }) => writer.command({ query }));
    const migrate = () =>
      session.use(({ writer, database }) =>
        runClickHouseMigrations(writer, database, rewriting === undefined ? [] : [rewriting], singleNode),
      );
    const begun = async () => {
      const sql = `SELECT toUInt32(uniqExact(mutation_id)) AS begun FROM system.mutations
WHERE database = 'gatehouse' AND table = 'exchanges' AND position(command, 'MATERIALIZE COLUMN ${columns[0]}') > 0`;
      return Number((await askEngine(session, sql))["begun"]);
    };
    await insertRows(session, { rows: 1_000, fromMs: Date.UTC(2026, 2, 2), toMs: Date.UTC(2026, 2, 3) });
    const table = `${engine.database}.exchanges`;
    await command(
      `ALTER TABLE ${engine.database}.schema_migrations DELETE WHERE number >= ${rewriting?.number} SETTINGS mutations_sync = 2`,
    );
    const before = await begun();
    await command(`SYSTEM STOP MERGES ${table}`); // rows are rewritten by merges of the store's
    // The try that was given up: what it began goes on.
    const rewrite = columns.map((name) => `MATERIALIZE COLUMN ${name}`).join(", ");
    await command(`ALTER TABLE ${table} ${rewrite} SETTINGS mutations_sync = 0`);
    for (let again = 0; again < 3; again += 1)
      await expect(migrate()).rejects.toMatchObject({ code: "store.unavailable" });
    expect(await begun()).toBe(before + 1);
    await command(`SYSTEM START MERGES ${table}`);
    await eventually(
      "the schema is there",
      () =>
        migrate().then(
          () => true,
          () => false,
        ),
      60_000,
    );
    expect(await begun()).toBe(before + 1);
    const noted = await askEngine(session, "SELECT max(number) AS number FROM gatehouse.schema_migrations");
    expect(noted).toEqual({ number: rewriting?.number });
    await insertRows(session, { rows: 10, fromMs: Date.UTC(2026, 2, 4), toMs: Date.UTC(2026, 2, 5) });
  }, 120_000);
});
