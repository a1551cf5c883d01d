import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { GatewayError } from "../../kernel/errors.ts";
import { sqliteFailure } from "./sqlite-failure.ts";
import type { TakeTurn } from "./turn-queue.ts";

export interface NodeSqliteDialectOptions {
  readonly database: DatabaseSync;
  /** A dialect for reading refuses every other statement. */
  readonly use: "read" | "write";
  /** Whom a query or a transaction has to wait for. */
  readonly takeTurn: TakeTurn;
}

/**
 * Lets Kysely drive a connection of `node:sqlite`, with errors as `sqliteFailure` has them. Transactions take the write
 * lock at their beginning, and whatever was obtained from one fails once it has ended, so a statement that nobody
 * waited for cannot slip into the transaction after it. The connection is not closed with the Kysely instance.
 */
export function nodeSqliteDialect(options: NodeSqliteDialectOptions): Dialect {
  return {
    createDriver: () => createDriver(options),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new QueuedSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  };
}

// Kysely would let one query at a time through; `takeTurn` decides that here.
class QueuedSqliteAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

function createDriver({ database, use, takeTurn }: NodeSqliteDialectOptions): Driver {
  const prepare = statementCache(database);
  const holds = new WeakMap<DatabaseConnection, Hold>();
  const run = async (sql: string) => guarded(() => database.exec(sql));
  // Called before commit and rollback, not only at the release: a write in between would be a transaction by itself.
  const end = (connection: DatabaseConnection) => {
    const hold = holds.get(connection);
    if (hold !== undefined) hold.ended = true;
  };
  return {
    init: async () => {},
    async acquireConnection() {
      const hold = { ended: false, turnEnds: await takeTurn() };
      const connection = createConnection(prepare, use, hold);
      holds.set(connection, hold);
      return connection;
    },
    beginTransaction: () => run("begin immediate"),
    commitTransaction(connection) {
      end(connection);
      return run("commit");
    },
    async rollbackTransaction(connection) {
      end(connection);
      // Some failures (a full disk) have ended the transaction by themselves.
      if (database.isTransaction) await run("rollback");
    },
    async releaseConnection(connection) {
      end(connection);
      holds.get(connection)?.turnEnds();
    },
    destroy: async () => {},
  };
}

/** One use of the connection, from its acquisition to its release. */
interface Hold {
  ended: boolean;
  readonly turnEnds: () => void;
}

// SQLite answers at once, so a transaction of many statements would keep the event loop from everybody else.
const queriesPerTurn = 100;

function createConnection(
  prepare: (sql: string) => PreparedStatement,
  use: "read" | "write",
  hold: Pick<Hold, "ended">,
): DatabaseConnection {
  let queries = 0;
  return {
    async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
      queries += 1;
      if (queries % queriesPerTurn === 0) await setImmediate();
      if (hold.ended) throw misuse("a query was made on a transaction that has ended");
      return guarded(() => {
        const { statement, returnsRows } = prepare(sql);
        const values = parameters as readonly SQLInputValue[]; // columns are typed as text and numbers only
        if (returnsRows) return { rows: statement.all(...values) as Row[] }; // Kysely knows the columns it asked for
        if (use === "read") throw misuse("a write was made outside of a transaction");
        return { rows: [], numAffectedRows: BigInt(statement.run(...values).changes) };
      });
    },
    streamQuery: () => {
      throw misuse("rows are not streamed; ask for pages");
    },
  };
}

interface PreparedStatement {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

const maxStatements = 200;

// Preparing costs more than most of our statements do. Their texts are few: values are bound.
function statementCache(database: DatabaseSync): (sql: string) => PreparedStatement {
  const cache = new Map<string, PreparedStatement>();
  return (sql) => {
    const known = cache.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    const prepared = { statement, returnsRows: statement.columns().length > 0 };
    if (cache.size >= maxStatements) cache.clear();
    cache.set(sql, prepared);
    return prepared;
  };
}

function guarded<Result>(call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    throw sqliteFailure(error);
  }
}

function misuse(detail: string): GatewayError {
  return new GatewayError("internal", "The gateway used its store wrongly.", { detail });
}
