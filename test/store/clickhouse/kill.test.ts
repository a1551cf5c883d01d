import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openEventSpool } from "../../../src/analytics/event-spool.ts";
import { openSnapshotOutbox } from "../../../src/analytics/snapshot-outbox.ts";
import { startSpoolReplay } from "../../../src/analytics/spool-replay.ts";
import { tailSpool } from "../../../src/analytics/tail-spool.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { startEmbeddedClickHouse } from "../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { createAnalyticsReader } from "../../../src/store/clickhouse/questions/create-analytics-reader.ts";
import { askEngine, describeEmbedded, silentLog } from "../../kit/embedded-clickhouse.ts";

const kills = 20;

describeEmbedded("kill -9", () => {
  test(`${kills} times, of the gateway's process or the engine's, loses no spooled row and doubles none`, async () => {
    const root = await mkdtemp(join(tmpdir(), "gatehouse-kill-"));
    for (let kill = 0; kill < kills; ) kill += await runUntilKilled(root, kill);
    const { exchanges, attempts, inRollups } = await finish(root);
    const spooled = await countSpooled(root);
    expect(spooled.exchanges).toBeGreaterThan(kills * 20);
    expect(exchanges).toEqual({ rows: spooled.exchanges, different: spooled.exchanges });
    expect(attempts).toEqual({ rows: spooled.attempts, different: spooled.attempts });
    expect(inRollups).toBe(spooled.exchanges);
    await rm(root, { recursive: true, force: true });
  }, 180_000);
});

/** One process of a gateway's, whose engine is killed none to two times before it is killed itself; answers how many. */
async function runUntilKilled(root: string, run: number): Promise<number> {
  const script = fileURLToPath(new URL("replaying-child.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", script, root, String(run * 1_000_000)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = once(child, "close");
  const pids = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let kills = 1;
  for (; kills <= run % 3; kills += 1) {
    const { value } = await pids.next();
    await delay(Math.random() * 300);
    process.kill(Number(value), "SIGKILL");
  }
  // The moments have to be random ones of real time. Some runs end before their engine is up.
  if (run % 4 !== 0) await pids.next();
  await delay(Math.random() * 400);
  child.kill("SIGKILL");
  await ended;
  return kills;
}

async function finish(root: string) {
  const clock = systemClock;
  const log = silentLog;
  const directory = join(root, "spool");
  await using spool = await openEventSpool({ directory, maxBytes: 268_435_456, clock, log });
  await using engine = startEmbeddedClickHouse({
    directory: join(root, "clickhouse"),
    memoryBytes: 536_870_912,
    clock,
    log,
  });
  await using session = createClickHouseSession({ find: engine.find, dialect: singleNode });
  await using replay = await startSpoolReplay({
    spool,
    directory,
    checkpointPath: join(root, "checkpoint.json"),
    store: createEventStore(session),
    snapshots: await openSnapshotOutbox(join(root, "snapshots")),
    clock,
    log,
    blockBytes: 1_048_576, // the small ones of the killed processes would take minutes here
  });
  await replay.catchUp();
  expect(replay.state).toMatchObject({ backlogBytes: 0, rejected: 0, lastError: undefined });
  const count = (table: string, key: string) =>
    askEngine(session, `SELECT count() AS rows, uniqExact(exchange_id, ${key}) AS different FROM gatehouse.${table}`);
  const months = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 2, 1) };
  const traffic = await createAnalyticsReader(session).traffic(months, 86_400);
  return {
    exchanges: await count("exchanges", "operation_id"),
    attempts: await count("attempts", "attempt"),
    inRollups: traffic.reduce((sum, { requests }) => sum + requests, 0),
  };
}

async function countSpooled(root: string) {
  const ids = { exchange: new Set<string>(), attempt: new Set<string>() };
  for await (const event of tailSpool({ directory: join(root, "spool"), follow: false })) {
    ids[event.type].add(event.exchange_id);
  }
  return { exchanges: ids.exchange.size, attempts: ids.attempt.size };
}
