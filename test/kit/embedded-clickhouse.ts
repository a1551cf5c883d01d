import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Log } from "../../src/kernel/log.ts";
import type { ClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import { createClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import type { EmbeddedClickHouse } from "../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { startEmbeddedClickHouse } from "../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../src/store/clickhouse/migrations/clickhouse-migration.ts";

/** The engine is an optional package. Without it these tests are skipped, and fail where CI is set. */
export const describeWithEngine = describe.skipIf(!hasEngine() && process.env["CI"] === undefined);

/** A real engine in a process of its own, on a directory of its own. */
export interface TestEngine extends AsyncDisposable {
  readonly directory: string;
  readonly embedded: EmbeddedClickHouse;
  readonly session: ClickHouseSession;
}

export function startTestEngine(): TestEngine {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-engine-"));
  const embedded = startEmbeddedClickHouse({ directory, memoryBytes: 536_870_912, clock: systemClock, log: silentLog });
  const session = createClickHouseSession({ find: embedded.find, dialect: singleNode });
  return {
    directory,
    embedded,
    session,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await embedded[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** One row of a statement with its own FORMAT JSONEachRow, on the connection for questions. */
export async function askEngine(session: ClickHouseSession, query: string): Promise<Record<string, unknown>> {
  return session.use(async ({ reader }) => {
    const result = await reader.query({ query, format: "JSONEachRow" });
    const [row = {}] = await result.json<Record<string, unknown>>();
    return row;
  });
}

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function hasEngine(): boolean {
  try {
    const require = createRequire(import.meta.url);
    createRequire(require.resolve("chdb")).resolve(`@chdb/lib-${process.platform}-${process.arch}${libc()}`);
    return true;
  } catch {
    return false;
  }
}

function libc(): string {
  return process.platform === "linux" ? "-gnu" : "";
}
