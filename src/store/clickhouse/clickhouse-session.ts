import type { ClickHouseClient } from "@clickhouse/client";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import type { ClickHouseEndpoint, ClickHouseUser, FindClickHouse } from "./clickhouse-endpoint.ts";
import { explainClickHouseFailure } from "./explain-clickhouse-failure.ts";
import type { ClickHouseDialect } from "./migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "./migrations/clickhouse-migrations.ts";
import { fillRollups } from "./migrations/fill-rollups.ts";
import { runClickHouseMigrations } from "./migrations/run-clickhouse-migrations.ts";
import { setRetention } from "./migrations/set-retention.ts";

/** Clients of one endpoint whose schema is up to date. */
export interface ClickHouseClients {
  readonly writer: ClickHouseClient;
  readonly reader: ClickHouseClient;
  readonly database: string;
  /** For statements that analysts write. Undefined where the endpoint has no user for them. */
  readonly adHoc: AdHocClient | undefined;
}

/** A client that reads only, whose names without a database are those of our tables. */
export interface AdHocClient {
  readonly client: ClickHouseClient;
  /** To be given with each statement. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** The way to a ClickHouse that may move or be away. */
export interface ClickHouseSession extends AsyncDisposable {
  /** Calls `work` with clients of the endpoint of now, and translates what it throws. */
  use<Result>(work: (clients: ClickHouseClients) => Promise<Result>): Promise<Result>;
}

export interface ClickHouseSessionOptions {
  readonly find: FindClickHouse;
  readonly dialect: ClickHouseDialect;
  /** Days that rows of events are kept; the tables are left as they are when absent. */
  readonly retentionDays?: number;
}

/** Longer than any limit that a statement is given. */
const requestTimeoutMs = 40_000;

/** Opens nothing yet: the first use finds the endpoint and brings its schema up to date. */
export function createClickHouseSession({ find, dialect, retentionDays }: ClickHouseSessionOptions): ClickHouseSession {
  let opened: { readonly endpoint: ClickHouseEndpoint; readonly clients: ClickHouseClients } | undefined;
  let ready: Promise<void> | undefined;

  const close = async (): Promise<void> => {
    const closing = opened?.clients;
    opened = undefined;
    ready = undefined;
    await closing?.writer.close();
    await closing?.reader.close();
    await closing?.adHoc?.client.close();
  };
  const prepare = async ({ writer, database }: ClickHouseClients): Promise<void> => {
    await runClickHouseMigrations(writer, database, clickHouseMigrations, dialect);
    if (retentionDays !== undefined) await setRetention(writer, database, retentionDays, dialect);
    await fillRollups(writer, database, dialect);
  };
  const current = async (): Promise<ClickHouseClients> => {
    const endpoint = await find();
    if (opened?.endpoint !== endpoint) {
      await close();
      opened = { endpoint, clients: openClients(endpoint) };
    }
    const { clients } = opened;
    ready ??= prepare(clients);
    await ready.catch((error: unknown) => {
      ready = undefined; // the next use tries again
      throw error;
    });
    return clients;
  };
  return {
    async use(work) {
      try {
        return await work(await current());
      } catch (error) {
        throw explainClickHouseFailure(error);
      }
    },
    [Symbol.asyncDispose]: close,
  };
}

function openClients({ url, writer, reader, adHoc, database }: ClickHouseEndpoint): ClickHouseClients {
  const open = ({ username, password }: ClickHouseUser, current: string): ClickHouseClient =>
    createClient({
      url,
      username,
      password,
      database: current,
      application: "gatehouse",
      request_timeout: requestTimeoutMs,
      log: { level: ClickHouseLogLevel.OFF },
    });
  // The database is named in every statement of ours: it may have to be made first.
  return {
    writer: open(writer, "default"),
    reader: open(reader, "default"),
    adHoc: adHoc && { client: open(adHoc, database), settings: adHoc.settings },
    database,
  };
}
