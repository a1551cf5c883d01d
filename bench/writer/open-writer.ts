import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { EventSpool } from "../../src/analytics/event-spool.ts";
import { openEventSpool } from "../../src/analytics/event-spool.ts";
import type { EventStore } from "../../src/analytics/event-store.ts";
import { openSnapshotOutbox } from "../../src/analytics/snapshot-outbox.ts";
import type { SpoolReplay } from "../../src/analytics/spool-replay.ts";
import { startSpoolReplay } from "../../src/analytics/spool-replay.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { ClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import { createClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../src/store/clickhouse/create-event-store.ts";
import type { EmbeddedClickHouse } from "../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { startEmbeddedClickHouse } from "../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { attemptRow, exchangeRow } from "../../test/kit/event-rows.ts";

export interface WriterOptions {
  /** Of the spool, in bytes. */
  readonly maxBytes?: number;
  /** Of what waits for the disk, in bytes. */
  readonly maxHeldBytes?: number;
}

/** The way of events to the embedded engine, as a gateway has it, and what can go wrong on it. Disposing ends all of it. */
export interface RunningWriter extends AsyncDisposable {
  readonly spool: EventSpool;
  readonly replay: SpoolReplay;
  readonly engine: EmbeddedClickHouse;
  /** Rows so far, of both tables. */
  readonly recorded: number;
  /** Records so many operations, each a row of either table. */
  record(operations: number): void;
  /** How far the clock of the writer is from the machine's, in milliseconds. */
  clockJumpMs: number;
  /** Whether the store is there to be asked. */
  isStoreAway: boolean;
  /** Resolves when all that was recorded and not dropped is in the store; rejects when it is not within `withinMs`. */
  settle(withinMs: number): Promise<void>;
  /** What the store has, of both tables: rows, and how many of them are different ones. */
  count(): Promise<{ readonly rows: number; readonly different: number }>;
}

const silentLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const defaultMaxBytes = 268_435_456;
const engineBytes = 536_870_912;

/** Starts one on a directory of its own. The schema is made before it resolves. */
export async function openWriter({ maxBytes = defaultMaxBytes, maxHeldBytes }: WriterOptions): Promise<RunningWriter> {
  await using opened = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), "gatehouse-writer-"));
  opened.defer(() => rm(root, { recursive: true, force: true }));
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + writer.clockJumpMs };
  const parts = { clock, log: silentLog };
  const directory = join(root, "spool");
  const spool = await openEventSpool({ ...parts, directory, maxBytes, ...(maxHeldBytes && { maxHeldBytes }) });
  opened.use(spool);
  const engine = startEmbeddedClickHouse({ ...parts, directory: join(root, "clickhouse"), memoryBytes: engineBytes });
  opened.use(engine);
  const session = opened.use(createClickHouseSession({ find: engine.find, dialect: singleNode }));
  await session.use(async () => undefined);
  const store = whileThere(createEventStore(session), () => writer.isStoreAway);
  const snapshots = await openSnapshotOutbox(join(root, "snapshots"));
  const checkpointPath = join(root, "checkpoint.json");
  const replay = opened.use(await startSpoolReplay({ ...parts, spool, directory, checkpointPath, store, snapshots }));
  const ending = opened.move();
  let operations = 0;
  const writer: RunningWriter = {
    spool,
    replay,
    engine,
    clockJumpMs: 0,
    isStoreAway: false,
    get recorded() {
      return 2 * operations;
    },
    record(count) {
      for (let left = count; left > 0; left -= 1) {
        const ts = clock.now();
        spool.record(exchangeRow(operations, { ts }));
        spool.record(attemptRow(operations, { ts }));
        operations += 1;
      }
    },
    settle: (withinMs) => settle(spool, replay, withinMs),
    count: () => countRows(session),
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
  return writer;
}

function whileThere(store: EventStore, isAway: () => boolean): EventStore {
  const check = (): void => {
    if (isAway()) throw new GatewayError("store.unavailable", "The store is away.");
  };
  return {
    insert: async (...call) => (check(), store.insert(...call)),
    present: async (...call) => (check(), store.present(...call)),
    putSnapshot: async (...call) => (check(), store.putSnapshot(...call)),
  };
}

async function settle(spool: EventSpool, replay: SpoolReplay, withinMs: number): Promise<void> {
  const untilMs = systemClock.monotonic() + withinMs;
  for (;;) {
    await spool.flush();
    await replay.catchUp();
    const { backlogBytes, lastError } = replay.state;
    if (backlogBytes === 0 && lastError === undefined) return;
    if (systemClock.monotonic() > untilMs)
      throw new Error(`${backlogBytes} bytes wait after ${withinMs} ms: ${lastError}`);
    await delay(100);
  }
}

const countSchema = z.object({ rows: z.coerce.number(), different: z.coerce.number() });

async function countRows(session: ClickHouseSession): Promise<z.output<typeof countSchema>> {
  const part = (table: string, key: string): string =>
    `SELECT count() AS rows, uniqExact(exchange_id, ${key}) AS different FROM gatehouse.${table}`;
  const query = `SELECT sum(rows) AS rows, sum(different) AS different
FROM (${part("exchanges", "operation_id")} UNION ALL ${part("attempts", "attempt")})`;
  return session.use(async ({ reader }) => {
    const [row] = await (await reader.query({ query, format: "JSONEachRow" })).json();
    return countSchema.parse(row);
  });
}
