import type { ClickHouseClient } from "@clickhouse/client";
import { z } from "zod";
import { GatewayError } from "../../../kernel/errors.ts";
import type { ClickHouseDialect, ClickHouseMigration } from "./clickhouse-migration.ts";

/**
 * Brings the database, which is made when it is missing, to the last of `migrations`. Several processes may do so at
 * the same time, and a crash is made good by the next run. Throws `config.invalid` for a schema of a newer version.
 */
export async function runClickHouseMigrations(
  client: ClickHouseClient,
  database: string,
  migrations: readonly ClickHouseMigration[],
  dialect: ClickHouseDialect,
): Promise<void> {
  const run = (query: string): Promise<unknown> => client.command({ query });
  await run(`CREATE DATABASE IF NOT EXISTS ${quoted(database)}${dialect.onCluster}`);
  await run(createNotes(database, dialect));
  const applied = await lastApplied(client, database);
  const known = migrations.at(-1)?.number ?? 0;
  if (applied > known) {
    throw new GatewayError(
      "config.invalid",
      `The analytics tables were made by a newer Gatehouse: their schema is ${applied}, this version knows up to ${known}. Run the newer version again, or name another database.`,
    );
  }
  for (const migration of migrations.filter(({ number }) => number > applied)) {
    for (const statement of migration.statements(dialect)) {
      if (!(await isRewritten(client, database, statement, dialect)))
        await run(inDatabase(statement, database, dialect));
    }
    await client.insert({
      table: `${quoted(database)}.schema_migrations`,
      values: [{ number: migration.number, name: migration.name }],
      format: "JSONEachRow",
      clickhouse_settings: { async_insert: 0, insert_deduplication_token: `migration-${migration.number}` },
    });
  }
}

/** Two processes may note the same step; the engine keeps one of the notes. */
function createNotes(database: string, { engine, onCluster }: ClickHouseDialect): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(database)}.schema_migrations${onCluster} (number UInt32, name String)
ENGINE = ${engine("ReplacingMergeTree")} ORDER BY number SETTINGS fsync_after_insert = 1`;
}

async function lastApplied(client: ClickHouseClient, database: string): Promise<number> {
  const result = await client.query({
    query: `SELECT max(number) AS number FROM ${quoted(database)}.schema_migrations`,
    format: "JSONEachRow",
  });
  const [row] = z.array(z.object({ number: z.int() })).parse(await result.json());
  return row?.number ?? 0;
}

const rewritesSchema = z.array(z.object({ columns: z.array(z.string()), isDone: z.boolean(), reason: z.string() }));

/**
 * Whether this statement writes columns out for all rows, and a try before this one has done it. Throws `store.unavailable`
 * while that goes on: with many rows it takes longer than a request may, and each try that began anew would never see the end.
 */
async function isRewritten(
  client: ClickHouseClient,
  database: string,
  statement: string,
  { onCluster }: ClickHouseDialect,
): Promise<boolean> {
  const table = /^ALTER TABLE (\w+) MATERIALIZE COLUMN/.exec(statement)?.[1];
  // One server of a cluster does not know how far the others are.
  if (table === undefined || onCluster !== "") return false;
  const result = await client.query({
    query: `SELECT extractAll(command, 'MATERIALIZE COLUMN (\\w+)') AS columns, toBool(is_done) AS isDone, latest_fail_reason AS reason
FROM system.mutations WHERE database = {database:String} AND table = {table:String} AND command LIKE '%MATERIALIZE COLUMN%'`,
    query_params: { database, table },
    format: "JSONEachRow",
  });
  const begun = rewritesSchema.parse(await result.json());
  const own = Array.from(statement.matchAll(/MATERIALIZE COLUMN (\w+)/g), ([, column]) => column ?? "");
  const ofOwn = begun.filter(({ columns }) => columns.some((column) => own.includes(column)));
  if (!own.every((column) => ofOwn.some(({ columns }) => columns.includes(column)))) return false;
  const open = ofOwn.find(({ isDone }) => !isDone);
  if (open === undefined) return true;
  throw new GatewayError("store.unavailable", "The analytics store is rewriting its rows for this version.", {
    detail: `${table}: ${own.join(", ")} ${open.reason}`.trim(),
    retryAfterMs: 1_000,
  });
}

function inDatabase(statement: string, database: string, { onCluster }: ClickHouseDialect): string {
  return statement.replace(/^(CREATE TABLE IF NOT EXISTS|ALTER TABLE) (\w+)/, `$1 ${quoted(database)}.$2${onCluster}`);
}

/** The configuration takes names of word characters only, so there is nothing to escape. */
function quoted(name: string): string {
  return `\`${name}\``;
}
