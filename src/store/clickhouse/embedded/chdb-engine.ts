import type { ChdbResult, Session } from "chdb";
import type { Clock } from "../../../kernel/clock.ts";
import { createTurnQueue } from "../../sqlite/turn-queue.ts";
import { adHocSettings } from "../ad-hoc/ad-hoc-settings.ts";

/** One of the engine's connections. What is set on one stays on it, so each has one kind of work. */
export type EngineRole = "writer" | "reader" | "adhoc";

export type EngineSettings = Readonly<Record<string, string>>;

/** ClickHouse in this process. Statements of one role run one after the other. */
export interface ChdbEngine {
  readonly version: string;
  /** Runs a statement with its own FORMAT. Throws the engine's error: `Code: 62. DB::Exception: …`. */
  run(role: EngineRole, statement: string, parameters?: EngineSettings): Promise<Uint8Array>;
  /** Inserts a text format's bytes; answers how many rows the engine wrote. */
  insert(request: EngineInsert): Promise<number>;
}

export interface EngineInsert {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly format: "JSONEachRow" | "JSONCompactEachRow";
  readonly settings: EngineSettings;
  readonly rows: Buffer;
}

export interface OpenChdbOptions {
  readonly directory: string;
  readonly memoryBytes: number;
  /** What names without a database are of, in ad-hoc statements. */
  readonly database: string;
  readonly stuck: StuckStatements;
}

/**
 * What happens to an analyst's statement that runs on behind its limits: the engine looks at them only between blocks of
 * rows, and one call of a function may take hours.
 */
export interface StuckStatements {
  /** Milliseconds from when its turn began. */
  readonly afterMs: number;
  readonly clock: Clock;
  end(): void;
}

/** Opens the three connections. Throws when the package is missing or the directory cannot be used. */
export async function openChdbEngine(options: OpenChdbOptions): Promise<ChdbEngine> {
  const { directory, memoryBytes, database, stuck } = options;
  const chdb = await import("chdb");
  const connectionArgs = [
    `--max_server_memory_usage=${memoryBytes}`,
    `--mark_cache_size=${Math.floor(memoryBytes / 16)}`,
  ];
  const open = (): Session => new chdb.Session(directory, { connectionArgs });
  const sessions: Readonly<Record<EngineRole, Session>> = { writer: open(), reader: open(), adhoc: open() };
  const turns = { writer: createTurnQueue(), reader: createTurnQueue(), adhoc: createTurnQueue() };
  // Not the engine's own `default`, in which files of the directory are tables.
  await sessions.adhoc.queryAsync(`CREATE DATABASE IF NOT EXISTS ${database}`);
  await sessions.adhoc.queryAsync(`USE ${database}`);
  for (const [role, settings] of Object.entries(limits)) {
    for (const [name, value] of settings) await sessions[role as EngineRole].queryAsync(`SET ${name} = ${value}`); // its own keys
  }
  const inTurn = async <Result>(role: EngineRole, work: (session: Session) => Promise<Result>): Promise<Result> => {
    const done = await turns[role]();
    const cancel = role === "adhoc" ? stuck.clock.after(stuck.afterMs, () => stuck.end()) : undefined;
    try {
      return await work(sessions[role]);
    } finally {
      cancel?.();
      done();
    }
  };
  return {
    version: (await sessions.reader.queryAsync("SELECT version() FORMAT TSVRaw")).text().trim(),
    run: (role, statement, parameters = {}) =>
      inTurn(role, async (session) => {
        try {
          return (await ask(session, statement, parameters)).bytes();
        } catch (error) {
          // What it had written before it failed would be the begin of the connection's next answer.
          await session.queryAsync("SELECT 1 FORMAT Null");
          throw error;
        }
      }),
    insert: ({ table, columns, format, settings, rows }) =>
      inTurn("writer", async (session) => {
        const values = { table, format, settings, values: rows, ...(columns !== undefined && { columns }) };
        return (await session.insert(values)).rowsWritten;
      }),
  };
}

function ask(session: Session, statement: string, parameters: EngineSettings): Promise<ChdbResult> {
  const isBound = Object.keys(parameters).length > 0;
  return isBound
    ? session.queryBindAsync(statement, parameters, { format: defaultFormat })
    : session.queryAsync(statement, { format: defaultFormat });
}

/** What a statement without a FORMAT clause answers in, as a server does. */
const defaultFormat = "TabSeparated";

const oneGibibyte = 1_073_741_824;

/** Set once a connection; `readonly` last, because nothing can be set after it. */
const limits: Readonly<Record<EngineRole, readonly (readonly [string, number | string])[]>> = {
  writer: [["max_execution_time", 60]],
  reader: [
    ["max_execution_time", 30],
    ["max_result_bytes", 67_108_864],
    ["max_memory_usage", oneGibibyte],
    ["readonly", 2],
  ],
  adhoc: [...Object.entries(adHocSettings), ["allow_ddl", 0], ["allow_introspection_functions", 0], ["readonly", 1]],
};
