import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createClient } from "@clickhouse/client";
import { expect, onTestFinished, test } from "vitest";
import { composeAnalytics } from "../../../../src/compose-analytics.ts";
import { loadConfig } from "../../../../src/config.ts";
import type { ClickHouseDialect } from "../../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { replicated, singleNode } from "../../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { clickHouseMigrations } from "../../../../src/store/clickhouse/migrations/clickhouse-migrations.ts";
import { runClickHouseMigrations } from "../../../../src/store/clickhouse/migrations/run-clickhouse-migrations.ts";
import { setRetention } from "../../../../src/store/clickhouse/migrations/set-retention.ts";
import { dataPaths } from "../../../../src/store/data-directory.ts";
import { openSpool } from "../../../kit/spool-kit.ts";

/** A server that has nothing and notes what it is told to make or change, in order; steps are not noted. */
async function listening() {
  const statements: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const statement = new URL(request.url ?? "/", "http://localhost").searchParams.get("query") ?? body;
      if (/^(CREATE|ALTER)/.test(statement)) statements.push(statement.trim());
      response.end(body.includes("max(number)") ? '{"number":0}\n' : "");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return { url: `http://127.0.0.1:${port}`, statements, [Symbol.dispose]: () => void server.close() };
}

/** What it is told when the schema is made on it. */
async function told(dialect: ClickHouseDialect): Promise<readonly string[]> {
  using server = await listening();
  const client = createClient({ url: server.url });
  try {
    await runClickHouseMigrations(client, "gatehouse", clickHouseMigrations, dialect);
    await setRetention(client, "gatehouse", 90, dialect);
  } finally {
    await client.close();
  }
  return server.statements;
}

test("the schema of a cluster is told to its servers as it is written down here", async () => {
  const statements = await told(replicated("analytics"));
  await expect(`${statements.join(";\n\n")};\n`).toMatchFileSnapshot("replicated-schema.sql");
});

test("every statement goes to the whole cluster, and every table is replicated with tokens of its own kind", async () => {
  const statements = await told(replicated("analytics"));
  expect(
    statements.filter(
      (statement) => !statement.includes(" ON CLUSTER 'analytics' ") && !statement.endsWith(" ON CLUSTER 'analytics'"),
    ),
  ).toEqual([]);
  const engines = statements.flatMap((statement) => /ENGINE = (\w+)/.exec(statement)?.[1] ?? []);
  expect(engines.length).toBeGreaterThan(4);
  expect(engines.filter((engine) => !engine.startsWith("Replicated"))).toEqual([]);
  expect(statements.join("\n")).not.toContain("non_replicated");
});

test("the schema of one server is the same but for that", async () => {
  const single = await told(singleNode);
  expect(single.join("\n")).not.toMatch(/ON CLUSTER|Replicated/);
  const [first, ...others] = await told(replicated("analytics"));
  expect([first, ...others].map((statement) => statement?.split(" ON CLUSTER")[0])).toEqual(
    single.map((statement, place) => statement.slice(0, [first, ...others][place]?.split(" ON CLUSTER")[0]?.length)),
  );
});

test.each([
  [{ CLICKHOUSE_CLUSTER: "analytics" }, " ON CLUSTER 'analytics'"],
  [{}, " (number UInt32"],
])("with %j in the environment, that is the schema that is made", async (env, words) => {
  using server = await listening();
  const { spool, directory, clock, log } = await openSpool();
  onTestFinished(() => spool[Symbol.asyncDispose]());
  const config = loadConfig({ env: { CLICKHOUSE_URL: server.url, ...env } });
  await using analytics = await composeAnalytics({ config, paths: dataPaths(directory), spool, clock, log });
  await analytics.reader.traffic({ fromMs: 0, toMs: 1_000 }, 1);
  const table = server.statements.find((statement) => statement.includes("schema_migrations"));
  expect(table).toContain(`.schema_migrations${words}`);
});

test.each(["it's", "a b", "", "x".repeat(64)])("a cluster is not called %j", (name) => {
  const load = () => loadConfig({ env: { CLICKHOUSE_URL: "http://127.0.0.1:1", CLICKHOUSE_CLUSTER: name } });
  if (name === "") expect(load().clickhouse.cluster).toBeUndefined();
  else expect(load).toThrow("clickhouse.cluster");
});
