import { afterAll, beforeAll, expect, test } from "vitest";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { setRetention } from "../../../src/store/clickhouse/migrations/set-retention.ts";
import type { TestEngine } from "../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";

describeWithEngine("the retention of rows", () => {
  let engine: TestEngine;
  beforeAll(() => {
    engine = startTestEngine();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  async function keptDays(): Promise<unknown[]> {
    const kept: unknown[] = [];
    for (const table of ["exchanges", "governance_events"]) {
      const { found } = await askEngine(
        engine.session,
        `SELECT extract(engine_full, 'toIntervalDay.([0-9]+)') AS found FROM system.tables WHERE database = 'gatehouse' AND name = '${table}'`,
      );
      kept.push(found);
    }
    return kept;
  }

  test("is what the session is told, for tables that are there already too", async () => {
    expect(await keptDays()).toEqual(["400", "400"]);
    await using shorter = createClickHouseSession({
      find: engine.find,
      dialect: singleNode,
      retentionDays: 30,
    });
    await shorter.use(() => Promise.resolve());
    expect(await keptDays()).toEqual(["30", "30"]);
  }, 60_000);

  test("is not set again where it is that already", async () => {
    await engine.session.use(async ({ writer, database }) => {
      const commands: string[] = [];
      const watched: typeof writer = Object.create(writer, {
        command: {
          value: (call: Parameters<typeof writer.command>[0]) => {
            commands.push(call.query);
            return writer.command(call);
          },
        },
      });
      await setRetention(watched, database, 60, singleNode);
      const changes = commands.length;
      expect(changes).toBeGreaterThan(1);
      await setRetention(watched, database, 60, singleNode);
      expect(commands).toHaveLength(changes);
    });
    expect(await keptDays()).toEqual(["60", "60"]);
  }, 60_000);
});
