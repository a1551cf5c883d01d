import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClickHouseClient } from "@clickhouse/client";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import type { ClickHouseClients, ClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { startEmbeddedClickHouse } from "../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { fillRollups } from "../../../src/store/clickhouse/migrations/fill-rollups.ts";
import { runClickHouseMigrations } from "../../../src/store/clickhouse/migrations/run-clickhouse-migrations.ts";
import { describeEmbedded, describeWithEngine, silentLog, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { eventually } from "../../kit/eventually.ts";
import {
  expectFiguresOfRows,
  forgetRollups,
  insertRows,
  partsWithoutRollups,
  rollupMigrations,
  rollupNames,
} from "./rollup-kit.ts";

/** Over the end of a month, which is the border of parts. */
const range = { fromMs: Date.UTC(2026, 1, 26), toMs: Date.UTC(2026, 2, 3) };
const rows = 6_000;

/** Rows from before there were rollups, in several parts. */
async function fillBefore(session: ClickHouseSession): Promise<void> {
  await session.use(forgetRollups);
  const count = rows / 3;
  for (const first of [0, count, 2 * count]) await insertRows(session, { rows, ...range, part: { first, count } });
}

/** As a session does it. */
async function migrate({ writer, database }: Pick<ClickHouseClients, "writer" | "database">): Promise<void> {
  await runClickHouseMigrations(writer, database, rollupMigrations, singleNode);
  await fillRollups(writer, database, singleNode);
}

describeWithEngine("rows from before there were rollups", () => {
  test("are counted right before they are in them, while they come into them and after, with new rows beside them", async () => {
    await using engine = startTestEngine();
    const { session } = engine;
    const merges = (word: "STOP" | "START") =>
      session.use(({ writer, database }) => writer.command({ query: `SYSTEM ${word} MERGES ${database}.exchanges` }));
    await fillBefore(session);
    await merges("STOP"); // what counts them is a merge of the store's
    await session.use(migrate);
    const later = { fromMs: range.toMs, toMs: range.toMs + 86_400_000 };
    await insertRows(session, { rows: 1_000, ...later });
    const all = { fromMs: range.fromMs, toMs: later.toMs };
    expect(await partsWithoutRollups(session)).toBeGreaterThan(2);
    await expectFiguresOfRows(session, all, rows + 1_000);
    expect(await begunBy(session)).toEqual([]); // it is begun already
    await merges("START");
    await eventually(
      "all parts have their rollups",
      async () => {
        await expectFiguresOfRows(session, all, rows + 1_000);
        return (await partsWithoutRollups(session)) === 0;
      },
      120_000,
    );
    await expectFiguresOfRows(session, all, rows + 1_000);
    await expectFiguresOfRows(session, range, rows);
    expect(await begunBy(session)).toEqual([]);
  }, 240_000);
});

/** What another look at the rollups has the store do. */
async function begunBy(session: ClickHouseSession): Promise<readonly string[]> {
  const begun: string[] = [];
  await session.use(({ writer, database }) => {
    const command: ClickHouseClient["command"] = (call) => {
      begun.push(call.query);
      return writer.command(call);
    };
    return fillRollups(withCommand(writer, command), database, singleNode);
  });
  return begun;
}

describeEmbedded("an engine that is killed while rows come into rollups", () => {
  test("goes on by itself after each step of it: no row is left out, and none counts twice", async () => {
    const directory = mkdtempSync(join(tmpdir(), "gatehouse-engine-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const memoryBytes = 536_870_912;
    await using engine = startEmbeddedClickHouse({ directory, memoryBytes, clock: systemClock, log: silentLog });
    {
      await using session = createClickHouseSession({ find: engine.find, dialect: singleNode });
      await fillBefore(session);
    }
    const kill = async (): Promise<void> => {
      const { pid = 0, restarts } = engine.state;
      process.kill(pid, "SIGKILL");
      await eventually("the engine has ended", () => engine.state.restarts > restarts, 60_000);
    };
    // Of the first two: the engine is started again after longer pauses each time. What a step before has begun may be done
    // already, and is then not begun again.
    const names = rollupNames.slice(0, 2);
    const steps = ["ADD PROJECTION IF NOT EXISTS", "MATERIALIZE PROJECTION"].flatMap((change) =>
      names.map((name) => `${change} ${name} `),
    );
    for (const step of steps) {
      await eventually("the engine may be asked for", () => engine.state.state !== "waiting", 60_000);
      const { url, writer: user, database } = await engine.find();
      const writer = createClient({ url, ...user, log: { level: ClickHouseLogLevel.OFF } });
      await migrate({ writer: after(writer, step, kill), database }).catch(() => undefined); // it was in the middle
      await writer.close();
    }
    await eventually("the engine may be asked for", () => engine.state.state !== "waiting", 60_000);
    await using session = createClickHouseSession({ find: engine.find, dialect: singleNode });
    await eventually("all parts have their rollups", async () => (await partsWithoutRollups(session)) === 0, 120_000);
    await expectFiguresOfRows(session, range, rows);
    expect(engine.state.restarts).toBeGreaterThan(names.length);
  }, 240_000);
});

/** A client that does something after a statement that has these words. */
function after(writer: ClickHouseClient, words: string, act: () => Promise<void>): ClickHouseClient {
  const command: ClickHouseClient["command"] = async (call) => {
    const result = await writer.command(call);
    if (call.query.includes(words)) await act();
    return result;
  };
  return withCommand(writer, command);
}

function withCommand(writer: ClickHouseClient, command: ClickHouseClient["command"]): ClickHouseClient {
  return new Proxy(writer, {
    get: (target, name): unknown => (name === "command" ? command : Reflect.get(target, name)),
  });
}
