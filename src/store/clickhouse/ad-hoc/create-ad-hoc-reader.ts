import type { ClickHouseClient } from "@clickhouse/client";
import { ClickHouseError } from "@clickhouse/client";
import { z } from "zod";
import type { AdHocFormat, AdHocReader } from "../../../analytics/ad-hoc-reader.ts";
import { adHocLimits, adHocTables } from "../../../analytics/ad-hoc-reader.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { AdHocClient, ClickHouseClients, ClickHouseSession } from "../clickhouse-session.ts";
import type { StoreNames } from "./check-ad-hoc-statement.ts";
import { checkAdHocStatement } from "./check-ad-hoc-statement.ts";

/**
 * Statements of analysts, asked of ClickHouse: on a connection of their own, which reads and is bounded, and only after
 * the engine's own parser has said what they are made of. What was checked is what is run: the form in which the engine
 * writes the statement down.
 */
export function createAdHocReader(session: ClickHouseSession): AdHocReader {
  let running = 0;
  return {
    async query(statement, format) {
      if (running >= adHocLimits.waiting) throw busy();
      running += 1;
      try {
        return { bytes: await session.use((clients) => run(clients, statement, format)) };
      } finally {
        running -= 1;
      }
    },
    tables: () => session.use(({ reader, database }) => describeTables(reader, database)),
  };
}

const formats: Readonly<Record<AdHocFormat, string>> = {
  json: "JSONCompact",
  csv: "CSVWithNames",
  ndjson: "JSONEachRow",
  parquet: "Parquet",
};

async function run(clients: ClickHouseClients, statement: string, format: AdHocFormat): Promise<Buffer> {
  const { reader, database, adHoc } = clients;
  if (adHoc === undefined) {
    throw new GatewayError(
      "analytics.not_available",
      "Statements of your own need a user that can only read. Set CLICKHOUSE_READER_USER and CLICKHOUSE_READER_PASSWORD.",
    );
  }
  if (statement.length > adHocLimits.statementCharacters) {
    throw refused(`a statement may have ${adHocLimits.statementCharacters} characters`);
  }
  if (statement.includes("\0")) throw refused("a statement is text");
  try {
    const canonical = await canonicalForm(reader, statement);
    const tree = await ask(adHoc, `EXPLAIN AST ${canonical}`);
    const refusal = checkAdHocStatement(
      { canonical, tree: tree.toString("utf8").split("\n") },
      await namesOf(reader, database),
    );
    if (refusal !== undefined) throw refused(refusal);
    return await ask(adHoc, `${canonical}\nFORMAT ${formats[format]}`);
  } catch (error) {
    throw error instanceof ClickHouseError ? (explained(error) ?? error) : error;
  }
}

/** The statement as the engine writes it. Throws the engine's error for what is none, or more than one. */
async function canonicalForm(reader: ClickHouseClient, statement: string): Promise<string> {
  const result = await reader.query({
    query: "SELECT formatQuerySingleLine({statement:String}) AS canonical",
    query_params: { statement },
    format: "JSONEachRow",
  });
  const [row] = z.tuple([z.object({ canonical: z.string() })]).parse(await result.json());
  return row.canonical;
}

async function ask({ client, settings }: AdHocClient, query: string): Promise<Buffer> {
  const { stream } = await client.exec({ query, clickhouse_settings: settings });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const namesSchema = z.tuple([
  z.object({ databases: z.array(z.string()), tables: z.array(z.string()), functions: z.array(z.string()) }),
]);

async function namesOf(reader: ClickHouseClient, database: string): Promise<StoreNames> {
  const result = await reader.query({
    query: `SELECT
  (SELECT groupArray(name) FROM system.databases) AS databases,
  (SELECT groupArray(name) FROM system.tables WHERE database = {database:String}) AS tables,
  (SELECT groupArray(lower(name)) FROM (SELECT name FROM system.functions UNION ALL SELECT name FROM system.table_functions)) AS functions`,
    query_params: { database },
    format: "JSONEachRow",
  });
  const [{ databases, tables, functions }] = namesSchema.parse(await result.json());
  const allowedTables = new Set(Object.keys(adHocTables));
  return { database, databases, tables, allowedTables, functions: new Set(functions) };
}

const columnsSchema = z.array(z.object({ table: z.string(), name: z.string(), type: z.string() }));

async function describeTables(reader: ClickHouseClient, database: string) {
  const result = await reader.query({
    query: `SELECT table, name, type FROM system.columns
WHERE database = {database:String} AND default_kind != 'EPHEMERAL' ORDER BY table, position`,
    query_params: { database },
    format: "JSONEachRow",
  });
  const columns = columnsSchema.parse(await result.json());
  return Object.entries(adHocTables).map(([name, { summary, columns: meanings }]) => ({
    name,
    summary,
    columns: columns
      .filter(({ table }) => table === name)
      .map((column) => ({ name: column.name, type: column.type, meaning: meaningOf(meanings, column.name) })),
  }));
}

/** Null for a column that another version of the schema has. */
function meaningOf(meanings: Readonly<Record<string, string>>, column: string): string | null {
  return meanings[column] ?? null;
}

/** An error of the statement as one of its writer's; undefined for one of the store. */
function explained(error: ClickHouseError): GatewayError | undefined {
  const tooMuch = limitNames[error.code];
  if (tooMuch !== undefined) return refused(`the statement takes too much: ${tooMuch}`, error);
  if (storeFaults.has(error.code)) return undefined;
  return refused(error.message.replace(/\s*\(version .*$/s, "").slice(0, 1_000), error);
}

const limitNames: Readonly<Record<string, string>> = {
  158: `it reads more than ${adHocLimits.rowsRead} rows. Ask for a shorter range of ts`,
  159: `it may run for ${adHocLimits.seconds} seconds. Ask for a shorter range of ts`,
  160: `it may run for ${adHocLimits.seconds} seconds. Ask for a shorter range of ts`,
  241: `it may use ${adHocLimits.memoryBytes} bytes of memory. Group by less, or ask for a shorter range of ts`,
  307: "it reads too many bytes. Ask for fewer columns, or a shorter range of ts",
  396: `its result may have ${adHocLimits.rows} rows and ${adHocLimits.resultBytes} bytes. Add a LIMIT`,
};

/** UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED of the user, AUTHENTICATION_FAILED, and what is no error of ClickHouse's. */
const storeFaults: ReadonlySet<string> = new Set(["192", "193", "516", "1002"]);

function refused(message: string, cause?: unknown): GatewayError {
  return new GatewayError("request.invalid", message, { issues: [{ path: "query", message }], cause });
}

function busy(): GatewayError {
  return new GatewayError("store.unavailable", "Other statements are running. Try again in a moment.", {
    retryAfterMs: 2_000,
  });
}
