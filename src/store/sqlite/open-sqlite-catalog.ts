import { AsyncLocalStorage } from "node:async_hooks";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Dialect } from "kysely";
import { CamelCasePlugin, Kysely } from "kysely";
import type { Catalog } from "../../core/catalog.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { catalogOver } from "../catalog/catalog-over.ts";
import type { CatalogTables } from "../catalog/catalog-tables.ts";
import { catalogMigrations } from "../migrations/catalog-migrations.ts";
import type { SchemaDialect } from "../migrations/migration.ts";
import { runMigrations } from "../migrations/run-migrations.ts";
import { backupSqlite } from "./backup-sqlite.ts";
import { nodeSqliteDialect } from "./node-sqlite-dialect.ts";
import { inMemoryPath, openSqliteReader, openSqliteWriter } from "./sqlite-connection.ts";
import { openSyncedLog } from "./sync-log.ts";
import type { TakeTurn } from "./turn-queue.ts";
import { createTurnQueue } from "./turn-queue.ts";

export interface SqliteCatalogOptions {
  /** The file, made where there is none; its directory must be there. `:memory:` is for tests: gone when closed. */
  readonly path: string;
}

/**
 * The catalog in one SQLite file, brought to this version's schema. One process at a time may have it open.
 *
 * Writers queue for the one writing connection. Reads have a connection of their own and go on beside a transaction;
 * in memory, where there is one connection only, they wait for it. Throws `config.invalid` for a file that is not a
 * catalog or was written by a newer version, `store.unavailable` for one that cannot be opened.
 */
export async function openSqliteCatalog({ path }: SqliteCatalogOptions): Promise<Catalog> {
  await using opening = new AsyncDisposableStack();
  const writer = opening.adopt(openSqliteWriter(path), (database) => database.close());
  const takeTurn = createTurnQueue();
  const dialect = nodeSqliteDialect({ database: writer, use: "write", takeTurn: atOnce });
  await runMigrations(new Kysely<unknown>({ dialect }), catalogMigrations, sqliteSchema);
  const writing = tablesOver(dialect);
  const guard = nestingGuard();
  const inMemory = path === inMemoryPath;
  const reader = inMemory ? writer : opening.adopt(openSqliteReader(path), (database) => database.close());
  const takeTurnInMemory: TakeTurn = async () => {
    guard.refuseInside();
    return takeTurn();
  };
  const readTurn = inMemory ? takeTurnInMemory : nextTurnOfEventLoop;
  const reading = tablesOver(nodeSqliteDialect({ database: reader, use: "read", takeTurn: readTurn }));
  const log = opening.use(openSyncedLog(path));
  const connections = opening.move();
  const inTurn = async <Result>(run: () => Promise<Result>) => {
    const turnEnds = await takeTurn();
    return run().finally(turnEnds);
  };
  return {
    read: catalogOver(reading),
    async transaction(work, { isBackground = false } = {}) {
      const execute = () => writing.transaction().execute((transaction) => work(catalogOver(transaction)));
      if (!isBackground || inMemory) return guard.run(() => inTurn(execute));
      const result = await guard.run(() => inTurn(() => withoutSync(writer, execute)));
      await log.sync();
      return result;
    },
    async backup(to) {
      if (inMemory) return inTurn(() => backupSqlite(writer, to));
      using source = openSqliteReader(path); // of its own, so that no half-done transaction is in the copy
      await backupSqlite(source, to);
    },
    [Symbol.asyncDispose]: () => inTurn(() => connections.disposeAsync()),
  };
}

/** Commits what `run` does without waiting for the disk; whoever calls it does that. */
async function withoutSync<Result>(writer: DatabaseSync, run: () => Promise<Result>): Promise<Result> {
  writer.exec("pragma synchronous = normal"); // the log is still synced before a checkpoint moves it into the file
  try {
    return await run();
  } finally {
    writer.exec("pragma synchronous = full");
  }
}

const sqliteSchema: SchemaDialect = {
  sequence: { type: "integer", primaryKey: (column) => column.primaryKey().autoIncrement() },
  refuseChanges: (table) => [
    ...["update", "delete"].map(
      (change) =>
        `create trigger ${table}_refuses_${change} before ${change} on ${table} ` +
        `begin select raise(abort, '${table} is append-only'); end`,
    ),
    // "insert or replace" deletes without asking the trigger for that.
    `create trigger ${table}_refuses_replace before insert on ${table} ` +
      `when exists (select 1 from ${table} where seq >= new.seq or id = new.id) ` +
      `begin select raise(abort, '${table} is append-only'); end`,
  ],
};

function tablesOver(dialect: Dialect): Kysely<CatalogTables> {
  return new Kysely({ dialect, plugins: [new CamelCasePlugin()] });
}

const atOnce: TakeTurn = async () => () => {};

// SQLite answers at once, so somebody who reads page after page would keep the event loop from everybody else.
const nextTurnOfEventLoop: TakeTurn = () => setImmediate(() => {});

interface NestingGuard {
  run<Result>(transaction: () => Promise<Result>): Promise<Result>;
  refuseInside(): void;
}

// Whoever waits, inside of a transaction, for one that comes after it waits for ever, and all writers behind it.
function nestingGuard(): NestingGuard {
  const running = new AsyncLocalStorage<{ ended: boolean }>();
  const refuseInside = () => {
    if (running.getStore()?.ended !== false) return;
    throw new GatewayError("internal", "The gateway used its store wrongly.", {
      detail: "the catalog was used inside of a transaction; use the transaction that was passed in",
    });
  };
  return {
    refuseInside,
    async run(transaction) {
      refuseInside();
      const state = { ended: false };
      try {
        return await running.run(state, transaction);
      } finally {
        state.ended = true;
      }
    },
  };
}
