import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { systemClock } from "../../src/kernel/clock.ts";
import type { Log } from "../../src/kernel/log.ts";
import { adHocSettings } from "../../src/store/clickhouse/ad-hoc/ad-hoc-settings.ts";
import type { ClickHouseEndpoint, FindClickHouse } from "../../src/store/clickhouse/clickhouse-endpoint.ts";
import type { ClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import { createClickHouseSession } from "../../src/store/clickhouse/clickhouse-session.ts";
import { startEmbeddedClickHouse } from "../../src/store/clickhouse/embedded/start-embedded-clickhouse.ts";
import { singleNode } from "../../src/store/clickhouse/migrations/clickhouse-migration.ts";

/** A server that the tests of the store are to run against: CLICKHOUSE_URL, with a name and a password in it where it asks. */
const serverUrl = process.env["STORE_TEST_CLICKHOUSE_URL"];

/** The engine is an optional package. Without it these tests are skipped, and fail where CI is set. */
export const describeWithEngine = describe.skipIf(
  serverUrl === undefined && !hasEngine() && process.env["CI"] === undefined,
);

/** For what is about the embedded engine itself; skipped where a server is named. */
export const describeEmbedded = describe.skipIf(
  serverUrl !== undefined || (!hasEngine() && process.env["CI"] === undefined),
);

/** Whether there is a user for statements of analysts: on a server, CLICKHOUSE_READER_USER. */
export const hasAnalyst = serverUrl === undefined || process.env["STORE_TEST_CLICKHOUSE_READER_USER"] !== undefined;

/** As `describeWithEngine`, for statements of analysts. */
export const describeWithAnalyst = hasAnalyst ? describeWithEngine : describe.skip;

/** A ClickHouse with a database of its own: a process on a directory of its own, or the server that is named. */
export interface TestEngine extends AsyncDisposable {
  /** The engine's own directory; undefined of a server. */
  readonly directory: string | undefined;
  readonly database: string;
  readonly find: FindClickHouse;
  readonly session: ClickHouseSession;
}

export function startTestEngine(): TestEngine {
  return serverUrl === undefined ? startEmbedded() : openServer(new URL(serverUrl));
}

function startEmbedded(): TestEngine {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-engine-"));
  const embedded = startEmbeddedClickHouse({ directory, memoryBytes: 536_870_912, clock: systemClock, log: silentLog });
  const { find } = embedded;
  const session = createClickHouseSession({ find, dialect: singleNode });
  return {
    directory,
    database: "gatehouse",
    find,
    session,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await embedded[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function openServer(address: URL): TestEngine {
  const database = `gatehouse_test_${randomBytes(6).toString("hex")}`;
  const user = { username: decodeURIComponent(address.username), password: decodeURIComponent(address.password) };
  const endpoint: ClickHouseEndpoint = { url: address.origin, database, writer: user, reader: user, adHoc: analyst() };
  const session = createClickHouseSession({ find: async () => endpoint, dialect: singleNode });
  return {
    directory: undefined,
    database,
    find: async () => endpoint,
    session,
    async [Symbol.asyncDispose]() {
      await session.use(async ({ writer }) => {
        for (const suffix of ["", "_later", "_other"]) {
          await writer.command({ query: `DROP DATABASE IF EXISTS ${database}${suffix}` });
        }
      });
      await session[Symbol.asyncDispose]();
    },
  };
}

function analyst(): ClickHouseEndpoint["adHoc"] {
  const username = process.env["STORE_TEST_CLICKHOUSE_READER_USER"];
  const password = process.env["STORE_TEST_CLICKHOUSE_READER_PASSWORD"] ?? "";
  return username === undefined ? undefined : { username, password, settings: adHocSettings };
}

/** One row of a statement, on the connection for questions; `gatehouse` in it is the engine's database. */
export async function askEngine(session: ClickHouseSession, query: string): Promise<Record<string, unknown>> {
  return session.use(async ({ reader, database }) => {
    const own = query.replaceAll(/\bgatehouse(?=[.'])/g, database);
    const result = await reader.query({ query: own, format: "JSONEachRow" });
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
