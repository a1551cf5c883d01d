import { createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ClickHouseEndpoint } from "../../../../src/store/clickhouse/clickhouse-endpoint.ts";
import type { TestEngine } from "../../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../../kit/embedded-clickhouse.ts";

describeWithEngine("the embedded engine's HTTP interface", () => {
  let engine: TestEngine;
  let endpoint: ClickHouseEndpoint;
  beforeAll(async () => {
    engine = startTestEngine();
    endpoint = await engine.embedded.find();
    await askEngine(engine.session, "SELECT 1 AS one"); // the tables are there now
  }, 30_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  function clientOf(username: string, password = endpoint.reader.password) {
    return createClient({ url: endpoint.url, username, password, database: "default", log: { level: 127 } });
  }

  async function rowsOf(username: string, query: string, over: object = {}): Promise<unknown[]> {
    const client = clientOf(username);
    const result = await client.query({ query, format: "JSONEachRow", ...over });
    return result.json();
  }

  test("answers the client's ping", async () => {
    expect(await clientOf("reader").ping()).toEqual({ success: true });
  });

  test.each(["", "wrong", "x".repeat(64)])("refuses the password %j", async (password) => {
    await expect(clientOf("reader", password).query({ query: "SELECT 1" })).rejects.toMatchObject({ code: "516" });
  });

  test("refuses a user that it does not have", async () => {
    await expect(rowsOf("admin", "SELECT 1")).rejects.toMatchObject({ code: "516" });
  });

  test.each(["it's", "tab\tand\nline", "back\\slash \\n", "'; DROP TABLE x --", "\\N", "héé 🎈", "{x:String}", ""])(
    "binds the text %j as it is",
    async (text) => {
      expect(await rowsOf("reader", "SELECT {text:String} AS text", { query_params: { text } })).toEqual([{ text }]);
    },
  );

  test("binds numbers", async () => {
    const query_params = { from: 1_763_834_400_123, limit: 7 };
    expect(await rowsOf("reader", "SELECT {from:Int64} AS n, {limit:UInt32} AS m", { query_params })).toEqual([
      { n: 1_763_834_400_123, m: 7 },
    ]);
  });

  test("a setting holds for its own statement only", async () => {
    const query = "SELECT getSetting('max_block_size') AS size";
    const before = await rowsOf("reader", query);
    expect(await rowsOf("reader", query, { clickhouse_settings: { max_block_size: "123" } })).toEqual([{ size: 123 }]);
    expect(await rowsOf("reader", query)).toEqual(before);
  });

  test("tells an error of the engine by its code", async () => {
    await expect(rowsOf("reader", "SELECT * FROM nowhere")).rejects.toMatchObject({
      code: "60",
      type: "UNKNOWN_TABLE",
    });
    await expect(rowsOf("reader", "SELEKT")).rejects.toMatchObject({ code: "62", type: "SYNTAX_ERROR" });
  });

  test("ends a statement that takes too long", async () => {
    const query = "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 3";
    const clickhouse_settings = { max_execution_time: 1 };
    await expect(rowsOf("reader", query, { clickhouse_settings })).rejects.toMatchObject({ code: "159" });
  });

  test.each(["reader", "adhoc"])("the user %s cannot write", async (user) => {
    const client = clientOf(user);
    await expect(client.command({ query: "CREATE TABLE t (a Int8) ENGINE = Memory" })).rejects.toThrow();
    await expect(
      client.insert({ table: "gatehouse.exchanges", values: [{ ts: 1 }], format: "JSONEachRow" }),
    ).rejects.toThrow();
    await expect(client.command({ query: "DROP TABLE gatehouse.exchanges" })).rejects.toThrow();
  });

  describe("somebody's own statements", () => {
    test.each([
      "SELECT count() AS n FROM gatehouse.exchanges",
      "SELECT count() AS n FROM gatehouse.attempts AS a WHERE a.status = 200",
      "WITH busy AS (SELECT api_id FROM gatehouse.exchanges) SELECT count() AS n FROM busy",
      "SELECT count() - 3 AS n FROM numbers(3)",
    ])("may be %s", async (query) => {
      expect(await rowsOf("adhoc", query)).toEqual([{ n: 0 }]);
    });

    test.each([
      "SELECT * FROM file('/etc/hostname', 'LineAsString')",
      "SELECT * FROM FILE('/etc/hostname', 'LineAsString')",
      "SELECT * FROM `file`('/etc/hostname', 'LineAsString')",
      "SELECT file('/etc/hostname')",
      "SELECT * FROM '/etc/hostname'",
      "SELECT * FROM `/etc/hostname`",
      "SELECT 1 WHERE 1 IN (SELECT * FROM file('/etc/hostname', 'LineAsString'))",
      "SELECT * FROM (SELECT * FROM url('http://127.0.0.1:1/', 'CSV'))",
      "WITH x AS (SELECT * FROM s3('http://127.0.0.1:1/x')) SELECT * FROM x",
      "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
      "SELECT * FROM executable('id', 'TSV', 'x String')",
      "SELECT * FROM system.tables",
      "SELECT 1; SELECT 2",
      "SELECT 1; DROP TABLE gatehouse.exchanges",
      "DROP TABLE gatehouse.exchanges",
      "INSERT INTO gatehouse.exchanges (ts) VALUES (1)",
      "SET readonly = 0",
      "SELECT 1 SETTINGS readonly = 0",
      "SHOW TABLES",
      "EXPLAIN AST SELECT 1",
      "SELECT sleep(3)",
    ])("may not be %s", async (query) => {
      await expect(rowsOf("adhoc", query)).rejects.toMatchObject({ code: expect.stringMatching(/^(497|164|62)$/) });
    });

    test("may not write a file", async () => {
      const client = clientOf("adhoc");
      for (const tail of ["INTO OUTFILE 'out.csv'", "INTO OUTFILE 'out.csv' FORMAT CSV", "INTO OUTFILE 'o' APPEND"]) {
        await expect(client.command({ query: `SELECT 1 ${tail}` })).rejects.toMatchObject({ code: "497" });
      }
    });

    test("leave the tables as they were", async () => {
      expect(await askEngine(engine.session, "SELECT count() AS n FROM gatehouse.exchanges")).toEqual({ n: 0 });
    });
  });
});
