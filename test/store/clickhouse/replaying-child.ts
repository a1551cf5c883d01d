import { writeSync } from "node:fs";
import { join } from "node:path";
import { openEventSpool } from "../../../src/analytics/event-spool.ts";
import { openSnapshotOutbox } from "../../../src/analytics/snapshot-outbox.ts";
import { startSpoolReplay } from "../../../src/analytics/spool-replay.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { startEmbeddedClickHouse } from "../../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { attemptRow, exchangeRow } from "../../kit/event-rows.ts";

// Records events and carries them to the embedded engine until it is killed. Prints the engine's process id when it has
// another one. Events are numbered from the second argument on, and lie on both sides of a month's end.
const [, , root = "", first = "0"] = process.argv;
const clock = systemClock;
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const directory = join(root, "spool");
const spool = await openEventSpool({ directory, maxBytes: 268_435_456, clock, log });
const engine = startEmbeddedClickHouse({ directory: join(root, "clickhouse"), memoryBytes: 536_870_912, clock, log });
const store = createEventStore(createClickHouseSession({ find: engine.find, dialect: singleNode }));
await startSpoolReplay({
  spool,
  directory,
  checkpointPath: join(root, "checkpoint.json"),
  store,
  snapshots: await openSnapshotOutbox(join(root, "snapshots")),
  clock,
  log,
  intervalMs: 10,
  blockBytes: 65_536,
});

const monthEnd = Date.UTC(2026, 1, 1);
let number = Number(first);
let pid: number | undefined;
setInterval(() => {
  for (let count = 0; count < 5; count += 1) {
    const ts = monthEnd + (number % 2 === 0 ? -1_000 : 1_000);
    spool.record(exchangeRow(number, { ts }));
    spool.record(attemptRow(number, { ts }));
    number += 1;
  }
  if (engine.state.state === "running" && engine.state.pid !== pid) {
    pid = engine.state.pid;
    writeSync(1, `${pid}\n`);
  }
}, 5);
