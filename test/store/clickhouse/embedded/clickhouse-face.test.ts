import { createClient } from "@clickhouse/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClickHouseEndpoint } from "../../../../src/store/clickhouse/clickhouse-endpoint.ts";
import type { TestEngine } from "../../../kit/embedded-clickhouse.ts";
import { askEngine, describeEmbedded, startTestEngine } from "../../../kit/embedded-clickhouse.ts";

describeEmbedded("the embedded engine's HTTP interface", () => {
  let engine: TestEngine;
  let endpoint: ClickHouseEndpoint;
  beforeAll(async () => {
    engine = startTestEngine();
    endpoint = await engine.find();
    await askEngine(engine.session, "SELECT 1 AS one"); // the tables are there now
  }, 120_000);
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

  test("statements of analysts take no settings: their connection has its own, for good", async () => {
    const query = "SELECT 1 AS one";
    expect(await rowsOf("adhoc", query)).toEqual([{ one: 1 }]);
    await expect(rowsOf("adhoc", query, { clickhouse_settings: { max_result_rows: "1" } })).rejects.toMatchObject({
      code: "497",
    });
    await expect(rowsOf("adhoc", `${query} SETTINGS max_result_rows = 1`)).rejects.toMatchObject({ code: "164" });
  });

  test.each(["reader", "adhoc"])(
    "what a failed statement of %s had found is no part of the next answer",
    async (user) => {
      const limit = user === "reader" ? { clickhouse_settings: { max_result_rows: "1000" } } : {};
      await expect(rowsOf(user, "SELECT number FROM numbers(20000)", limit)).rejects.toMatchObject({ code: "396" });
      expect(await rowsOf(user, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    },
  );
});
