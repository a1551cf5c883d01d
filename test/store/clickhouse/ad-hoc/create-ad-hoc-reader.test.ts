// long: the table of escapes is one list, so that none is forgotten where another stands
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { AdHocReader } from "../../../../src/analytics/ad-hoc-reader.ts";
import { adHocLimits, adHocTables } from "../../../../src/analytics/ad-hoc-reader.ts";
import { parseJson } from "../../../../src/kernel/parse-json.ts";
import {
  allowedAggregates,
  allowedFunctions,
  allowedTableFunctions,
  isAllowedFunction,
} from "../../../../src/store/clickhouse/ad-hoc/allowed-functions.ts";
import { createAdHocReader } from "../../../../src/store/clickhouse/ad-hoc/create-ad-hoc-reader.ts";
import { createClickHouseSession } from "../../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../../src/store/clickhouse/create-event-store.ts";
import { singleNode } from "../../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import type { TestEngine } from "../../../kit/embedded-clickhouse.ts";
import { askEngine, describeEmbedded, startTestEngine } from "../../../kit/embedded-clickhouse.ts";
import { exchangeRow } from "../../../kit/event-rows.ts";
import { lineOf } from "../../../kit/line-of.ts";

const canary = "canary-7f3a";
/** Stand for a file with the canary in it, and for an address where it would be served. */
const file = "@FILE@";
const address = "@URL@";

const escapes = [
  // files
  `SELECT * FROM file('${file}', 'LineAsString')`,
  `SELECT * FROM FILE('${file}', 'LineAsString')`,
  `SELECT * FROM \`file\`('${file}', 'LineAsString')`,
  `SELECT * FROM "file"('${file}', 'LineAsString')`,
  `SELECT * FROM /**/ file /**/ ('${file}', 'LineAsString')`,
  `SELECT * FROM file -- \n ('${file}', 'LineAsString')`,
  `SELECT file('${file}')`,
  `SELECT arrayMap(x -> file(x), ['${file}'])`,
  `SELECT (x -> file(x))('${file}')`,
  `WITH x -> file(x) AS f SELECT f('${file}')`,
  `WITH file('${file}') AS x SELECT x`,
  `WITH x AS (SELECT * FROM file('${file}', 'LineAsString')) SELECT * FROM x`,
  `WITH RECURSIVE x AS (SELECT * FROM file('${file}', 'LineAsString') UNION ALL SELECT * FROM x) SELECT * FROM x`,
  `SELECT (SELECT * FROM file('${file}', 'LineAsString'))`,
  `SELECT * FROM (SELECT * FROM (SELECT * FROM file('${file}', 'LineAsString')))`,
  `SELECT 1 WHERE 'x' IN (SELECT * FROM file('${file}', 'LineAsString'))`,
  `SELECT 1 WHERE 'x' IN file('${file}', 'LineAsString')`,
  `SELECT 1 WHERE EXISTS (SELECT * FROM file('${file}', 'LineAsString'))`,
  `SELECT * FROM exchanges JOIN file('${file}', 'LineAsString') AS f ON 1 = 1`,
  `SELECT * FROM exchanges ARRAY JOIN [file('${file}')] AS f`,
  `SELECT 1 UNION ALL SELECT * FROM file('${file}', 'LineAsString')`,
  `SELECT 1 EXCEPT SELECT * FROM file('${file}', 'LineAsString')`,
  `SELECT (tuple(file('${file}'), 1)).*`,
  `SELECT (tuple(file('${file}'), 1)) /* */ . /* */ *`,
  `SELECT tuple(tuple(file('${file}')) AS y).y.*`,
  `SELECT [tuple(file('${file}'))][1].*`,
  `SELECT (SELECT tuple(line) FROM file('${file}', 'LineAsString')).*`,
  `SELECT (tuple(file('${file}') AS a)).COLUMNS('a')`,
  `SELECT * APPLY(file) FROM (SELECT '${file}' AS name)`,
  `SELECT * APPLY(x -> file(x)) FROM (SELECT '${file}' AS name)`,
  `SELECT COLUMNS('name') APPLY(file) FROM (SELECT '${file}' AS name)`,
  `SELECT * REPLACE (file(name) AS name) FROM (SELECT '${file}' AS name)`,
  `SELECT count() OVER (PARTITION BY file('${file}')) FROM numbers(1)`,
  `SELECT count() OVER w FROM numbers(1) WINDOW w AS (ORDER BY file('${file}'))`,
  `SELECT number FROM numbers(1) ORDER BY number WITH FILL TO length(file('${file}'))`,
  `SELECT number FROM numbers(1) LIMIT length(file('${file}'))`,
  `SELECT number FROM numbers(length(file('${file}')))`,
  `SELECT count(*) FILTER (WHERE file('${file}') != '') FROM numbers(1)`,
  `SELECT toUInt8(file('${file}'))`,
  `SELECT * FROM '${file}'`,
  `SELECT * FROM \`${file}\``,
  `SELECT * FROM default.\`${file}\``,
  `SELECT 1 IN \`${file}\``,
  `SELECT * FROM view(SELECT * FROM file('${file}', 'LineAsString'))`,
  `SELECT * FROM loop(file('${file}', 'LineAsString'))`,
  `SELECT * FROM filesystem('/')`,
  "SELECT * FROM sqlite('x.db', 'x')",
  "SELECT * FROM executable('id', 'TSV', 'x String')",
  "SELECT 1 INTO OUTFILE 'stolen.csv'",
  "SELECT 1 INTO OUTFILE 'stolen.csv' FORMAT CSV",
  "SELECT 1 INTO OUTFILE 'stolen.csv' APPEND",
  "SELECT 1 INTO OUTFILE 'stolen.csv' TRUNCATE COMPRESSION 'gzip'",
  // the network
  `SELECT * FROM url('${address}', 'LineAsString')`,
  `SELECT * FROM urlCluster('default', '${address}', 'LineAsString')`,
  `SELECT * FROM s3('${address}/x', 'LineAsString')`,
  `SELECT * FROM remote('127.0.0.1', 'system', 'one')`,
  "SELECT * FROM cluster('default', 'system', 'one')",
  "SELECT * FROM clusterAllReplicas('default', view(SELECT 1))",
  "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM mongodb('127.0.0.1:1', 'd', 't', 'u', 'p')",
  "SELECT * FROM redis('127.0.0.1:1', 'k', 'k String')",
  "SELECT aiGenerate('x')",
  // other tables
  "SELECT * FROM system.tables",
  "SELECT * FROM `system`.`tables`",
  "SELECT * FROM `system.tables`",
  'SELECT * FROM "system"."tables"',
  "SELECT * FROM “system”.“tables”",
  "SELECT * FROM SyStEm.tables",
  "SELECT * FROM system/**/./**/tables",
  "SELECT * FROM information_schema.tables",
  "SELECT * FROM INFORMATION_SCHEMA.TABLES",
  "SELECT * FROM merge('system', '.*')",
  "SELECT * FROM merge(REGEXP('.*'), '.*')",
  "SELECT _table FROM merge('gatehouse', '.*')",
  "SELECT 0 IN system.one",
  "SELECT 0 IN (system.one)",
  "SELECT 0 GLOBAL NOT IN system.one",
  "SELECT 0 IN t, system.one AS t",
  "WITH system.one AS t SELECT 0 IN t",
  "SELECT in(0, system.one)",
  "SELECT * FROM exchanges WHERE exchange_id IN (SELECT 1 FROM system.one)",
  "SELECT * FROM exchanges, system.one",
  "SELECT * FROM config_snapshots",
  "SELECT * FROM gatehouse.config_snapshots",
  "SELECT '' IN config_snapshots",
  "SELECT * FROM schema_migrations",
  "SELECT * FROM {table:Identifier}",
  "SELECT * FROM dictionary('x')",
  "SELECT dictGet('x', 'y', 1)",
  "SELECT joinGet('system.one', 'dummy', 0)",
  "SELECT hasColumnInTable('system', 'one', 'dummy')",
  "SELECT * FROM input('x String')",
  "SELECT * FROM generateRandom('x String')",
  // settings, the server, time
  "SELECT * FROM exchanges SETTINGS max_execution_time = 1000",
  "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
  "SELECT 1 FORMAT CSV",
  "SELECT 1 FORMAT Null SETTINGS readonly = 0",
  "SELECT number FROM numbers(1) FORMAT `CSV`",
  "SELECT getSetting('max_threads')",
  "SELECT hostName()",
  "SELECT hostname()",
  "SELECT currentUser()",
  "SELECT version()",
  "SELECT getMacro('x')",
  "SELECT getServerSetting('x')",
  "SELECT showCertificate()",
  "SELECT filesystemAvailable()",
  "SELECT sleep(3)",
  "SELECT sleepEachRow(1) FROM numbers(3)",
  "SELECT queryString('x'), queryID()",
  "SELECT initializeAggregation('sum', 1)",
  "SELECT arrayReduce('sum', [1])",
  "SELECT formatQuery('SELECT 1')",
  // statements that are no single SELECT
  "SELECT 1; SELECT 2",
  "SELECT 1; DROP TABLE exchanges",
  "SELECT 1 PARALLEL WITH SELECT 2",
  "DROP TABLE exchanges",
  "TRUNCATE TABLE exchanges",
  "INSERT INTO exchanges (ts) VALUES (1)",
  "INSERT INTO FUNCTION file('stolen.csv') SELECT 1",
  "CREATE TABLE t ENGINE = Memory AS SELECT 1",
  "CREATE VIEW v AS SELECT * FROM system.one",
  "CREATE FUNCTION f AS x -> file(x)",
  "ALTER TABLE exchanges DELETE WHERE 1",
  "SET readonly = 0",
  "USE system",
  "SHOW TABLES",
  "DESCRIBE exchanges",
  "DESCRIBE file('x')",
  "EXPLAIN SELECT 1",
  "EXPLAIN AST SELECT 1",
  "SELECT * FROM (EXPLAIN SELECT * FROM system.one)",
  "SYSTEM FLUSH LOGS",
  "KILL QUERY WHERE 1",
  "BACKUP TABLE exchanges TO File('x')",
  "GRANT ALL ON *.* TO x",
  "EXISTS system.one",
  "graph = 1 SELECT 1",
  "",
  "  ",
  "/* SELECT 1 */",
  "\u0000SELECT 1",
  "SELECT 1 /*",
  "SELECT $$",
];

const questions: readonly { readonly query: string; readonly data: readonly unknown[] }[] = [
  { query: "SELECT count() AS n FROM exchanges", data: [[3]] },
  { query: "SELECT count() FROM gatehouse.attempts AS a WHERE a.status = 200", data: [[0]] },
  { query: "WITH busy AS (SELECT api_name FROM exchanges) SELECT uniqExact(api_name) FROM busy", data: [[1]] },
  { query: "SELECT e.* EXCEPT (decisions) FROM exchanges AS e LIMIT 0", data: [] },
  { query: "SELECT * FROM exchanges WHERE exchange_id IN (SELECT exchange_id FROM attempts)", data: [] },
  {
    query: "WITH ids AS (SELECT exchange_id FROM exchanges) SELECT count() FROM exchanges WHERE exchange_id IN ids",
    data: [[3]],
  },
  {
    query: "SELECT 'a;b -- c /* d', 'it''s', ')(file(' -- and a remark\n;",
    data: [["a;b -- c /* d", "it's", ")(file("]],
  },
  {
    query:
      "SELECT toStartOfHour(ts) AS hour, quantileTDigest(0.5)(duration_ms), sumIf(input_tokens, stream = 0) FROM exchanges GROUP BY hour",
    data: [["2026-01-15 12:00:00", 10, 9]],
  },
  {
    query: "SELECT row_number() OVER (PARTITION BY api_id ORDER BY ts) AS n FROM exchanges QUALIFY n > 2",
    data: [[3]],
  },
  {
    query: "SELECT arrayMap(x -> x + 1, [1, 2]), map('a', 1)['a'], CASE WHEN 1 THEN 'y' END, 3::UInt8",
    data: [[[2, 3], 1, "y", 3]],
  },
  { query: "SELECT sum(number) FROM numbers(4) UNION ALL SELECT 7 WHERE 0", data: [[6]] },
  { query: "SELECT d.action FROM exchanges ARRAY JOIN decisions AS d", data: [] },
];

describeEmbedded("statements of analysts", () => {
  let engine: TestEngine;
  let reader: AdHocReader;
  let server: Server;
  let directory: string;
  let visits = 0;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "gatehouse-escape-"));
    writeFileSync(join(directory, "canary.txt"), canary);
    server = createServer((_, response) => {
      visits += 1;
      response.end(canary);
    }).listen(0, "127.0.0.1");
    engine = startTestEngine();
    reader = createAdHocReader(engine.session);
    const lines = [1, 2, 3].map((number) => lineOf(exchangeRow(number)).replace('"exchange",', ""));
    const rows = Buffer.from(lines.join(""));
    const batch = { table: "exchanges", rows, count: 3, token: "all", skipUnreadable: false } as const;
    await createEventStore(engine.session).insert(batch, new AbortController().signal);
  }, 120_000);
  afterAll(async () => {
    server.close();
    await engine[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const filled = (statement: string): string => {
    const { port } = server.address() as AddressInfo; // a TCP server that listens has one
    return statement.replaceAll(file, join(directory, "canary.txt")).replaceAll(address, `http://127.0.0.1:${port}`);
  };
  const answerSchema = z.looseObject({ data: z.array(z.unknown()), rows: z.int() });
  const answerOf = async (statement: string) => {
    const { bytes } = await reader.query(filled(statement), "json");
    return answerSchema.parse(parseJson(Buffer.from(bytes).toString("utf8")));
  };

  test.each(questions)("$query", async ({ query, data }) => {
    expect((await answerOf(query)).data).toEqual(data);
  });

  test.each(escapes)("may not be %j", async (statement) => {
    const error: unknown = await answerOf(statement).then(
      (answer) => answer,
      (refusal: unknown) => refusal,
    );
    expect(error).toMatchObject({ code: "request.invalid" });
    expect(String(error)).not.toContain(canary);
  });

  test("none of them has reached the network, written a file or changed the tables", async () => {
    expect(visits).toBe(0);
    expect(
      readdirSync(engine.directory ?? "", { recursive: true }).filter((name) => String(name).includes("stolen")),
    ).toEqual([]);
    expect(readdirSync(directory)).toEqual(["canary.txt"]);
    expect((await answerOf("SELECT count() FROM exchanges")).data).toEqual([[3]]);
    expect(
      await askEngine(engine.session, "SELECT count() AS n FROM system.tables WHERE database = 'default'"),
    ).toEqual({ n: 0 });
  });

  test("what the engine says of a statement is told to its writer, without the engine's version", async () => {
    const error: unknown = await reader.query("SELECT nonsense FROM exchanges", "json").catch((each: unknown) => each);
    expect(error).toMatchObject({ code: "request.invalid", message: expect.stringContaining("nonsense") });
    expect(String(error)).not.toMatch(/version/);
  });

  test.each([
    { name: "rows", query: "SELECT number FROM numbers(10001)", word: "LIMIT" },
    { name: "bytes", query: "SELECT repeat(toString(number % 10), 1000000) FROM numbers(20)", word: "LIMIT" },
    { name: "memory", query: "SELECT groupArray(number) FROM numbers(200000000)", word: "memory" },
    { name: "rows read", query: "SELECT count() FROM numbers(2000000000) WHERE number % 7 = 3", word: "range of ts" },
  ])("one that takes too much ends with a word on what to do: $name", async ({ query, word }) => {
    await expect(reader.query(query, "json")).rejects.toMatchObject({
      code: "request.invalid",
      message: expect.stringContaining(word),
    });
  });

  test("what one had found before it failed is no part of the next one's answer", async () => {
    const failing = "SELECT number, 'of somebody else' FROM numbers(10001)";
    await expect(reader.query(failing, "csv")).rejects.toMatchObject({ code: "request.invalid" });
    const { bytes } = await reader.query("SELECT 1 AS n", "csv");
    expect(Buffer.from(bytes).toString("utf8")).toBe('"n"\n1\n');
  });

  test("one that is too long is not even read", async () => {
    const query = `SELECT '${"x".repeat(adHocLimits.statementCharacters)}'`;
    await expect(reader.query(query, "json")).rejects.toMatchObject({ code: "request.invalid" });
  });

  test("are refused while many of them wait, and let in again later", async () => {
    const many = Array.from({ length: adHocLimits.waiting + 1 }, () => reader.query("SELECT 1", "json"));
    const ends = await Promise.allSettled(many);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(adHocLimits.waiting);
    expect(ends.at(-1)).toMatchObject({ reason: { code: "store.unavailable" } });
    expect((await answerOf("SELECT 1")).rows).toBe(1);
  });

  test.each([
    { format: "csv", begin: '"n"\n1\n' },
    { format: "ndjson", begin: '{"n":1}\n' },
    { format: "parquet", begin: "PAR1" },
  ] as const)("are answered as $format", async ({ format, begin }) => {
    const { bytes } = await reader.query("SELECT 1 AS n", format);
    expect(Buffer.from(bytes).toString("latin1").slice(0, begin.length)).toBe(begin);
  });

  test("need a user of their own on a server", async () => {
    const { adHoc: _, ...endpoint } = await engine.find();
    await using session = createClickHouseSession({ find: async () => endpoint, dialect: singleNode });
    await expect(createAdHocReader(session).query("SELECT 1", "json")).rejects.toMatchObject({
      code: "analytics.not_available",
      message: expect.stringContaining("CLICKHOUSE_READER_USER"),
    });
  });

  test("the tables are listed with their columns, and each column with what it means", async () => {
    const tables = await reader.tables();
    const told = tables.map(({ name, columns }) => [
      name,
      Object.fromEntries(columns.map((each) => [each.name, each.meaning])),
    ]);
    const meant = Object.entries(adHocTables).map(([name, { columns }]) => [name, columns]);
    expect(told).toEqual(meant);
    expect(tables[0]?.columns).toContainEqual(expect.objectContaining({ name: "exchange_id", type: "UUID" }));
    expect(tables[0]?.columns.map(({ name }) => name)).not.toContain("fields");
  });

  describe("the lists of functions", () => {
    const namesIn = async (table: string): Promise<ReadonlySet<string>> => {
      const { names } = await askEngine(
        engine.session,
        `SELECT groupUniqArray(lower(name)) AS names FROM system.${table}`,
      );
      return new Set(z.array(z.string()).parse(names));
    };

    test("name functions that the engine has, each once", async () => {
      const known = await namesIn("functions");
      /** Names that only its parser gives. */
      const parsed = new Set(["lambda", "exists", "untuple"]);
      const all = [...allowedFunctions, ...allowedAggregates];
      expect(all.filter((name) => !known.has(name) && !parsed.has(name))).toEqual([]);
      expect(all.length).toBe(new Set(all).size);
    });

    test("have no name that is a table function too, so that none can be called in place of a value", async () => {
      const tableFunctions = await namesIn("table_functions");
      expect([...tableFunctions].filter(isAllowedFunction)).toEqual([]);
      expect([...allowedTableFunctions].filter((name) => !tableFunctions.has(name))).toEqual([]);
    });

    test("take aggregates with their endings, and no ending alone", () => {
      for (const name of [
        "sumIf",
        "quantilesTDigestIf",
        "countIfOrNull",
        "uniqExactArrayIf",
        "anyLast_respect_nulls",
      ]) {
        expect([name, isAllowedFunction(name)]).toEqual([name, true]);
      }
      for (const name of ["fileIf", "if_if", "State", "dictGetOrNull", "aggThrowIf", ""]) {
        expect([name, isAllowedFunction(name)]).toEqual([name, false]);
      }
    });
  });
});
