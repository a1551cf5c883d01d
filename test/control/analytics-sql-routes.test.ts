import { describe, expect, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = "/api/v1/analytics/sql";
const result = { meta: [{ name: "n", type: "UInt8" }], data: [[1]], rows: 1 };

/** Tools that note what they are asked. */
function notingTools() {
  const asked: unknown[] = [];
  const tools: Pick<AnalyticsTools, "adHoc"> = {
    adHoc: {
      async query(statement, format) {
        asked.push({ statement, format });
        return { bytes: Buffer.from(JSON.stringify(result)) };
      },
      tables: async () => [
        { name: "exchanges", summary: "Rows.", columns: [{ name: "ts", type: "DateTime64(3)", meaning: "When." }] },
      ],
    },
  };
  // The other tools are not asked for here.
  return { asked, analyticsTools: async () => tools as AnalyticsTools };
}

describe("200", () => {
  test.each([
    ["json", "application/json"],
    ["csv", "text/csv; charset=utf-8"],
    ["ndjson", "application/x-ndjson"],
    ["parquet", "application/vnd.apache.parquet"],
  ])("the statement is run, and its rows come as %s", async (format, type) => {
    const { asked, analyticsTools } = notingTools();
    await using control = await openControlPlane({ analyticsTools });
    const answer = await control.send("POST", path, { query: " SELECT 1 AS n ", format });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, type]);
    expect(asked).toEqual([{ statement: "SELECT 1 AS n", format }]);
  });

  test("rows are JSON unless told", async () => {
    const { asked, analyticsTools } = notingTools();
    await using control = await openControlPlane({ analyticsTools });
    expect((await control.send("POST", path, { query: "SELECT 1" })).body).toEqual(result);
    expect(asked).toEqual([{ statement: "SELECT 1", format: "json" }]);
  });

  test("the tables are listed", async () => {
    await using control = await openControlPlane({ analyticsTools: notingTools().analyticsTools });
    const { body } = await control.send("GET", "/api/v1/analytics/tables");
    expect(body.items).toEqual([expect.objectContaining({ name: "exchanges", summary: "Rows." })]);
  });
});

describe("400", () => {
  test.each([
    {},
    { query: "" },
    { query: "  " },
    { query: 1 },
    { query: "SELECT 1", format: "xml" },
    { query: "x".repeat(20_001) },
    { query: "SELECT 1", team: "red" },
  ])("refuses a body such as %j", async (body) => {
    const { asked, analyticsTools } = notingTools();
    await using control = await openControlPlane({ analyticsTools });
    const answer = await control.send("POST", path, body);
    expect([answer.status, answer.body.code]).toEqual([400, "request.invalid"]);
    expect(asked).toEqual([]);
  });

  test("what is wrong with the statement is told", async () => {
    const query = () => Promise.reject(new GatewayError("request.invalid", "the function file is not allowed"));
    const { analyticsTools } = notingTools();
    const tools = await analyticsTools();
    await using control = await openControlPlane({
      analyticsTools: async () => ({ ...tools, adHoc: { ...tools.adHoc, query } }),
    });
    const answer = await control.send("POST", path, { query: "SELECT file('x')" });
    expect([answer.status, answer.body.detail]).toEqual([400, "the function file is not allowed"]);
  });
});

describe("403", () => {
  test("rows are of all teams, so who sees only some runs none", async () => {
    const { asked, analyticsTools } = notingTools();
    await using control = await openControlPlane({ analyticsTools });
    await createTeam(control, "blue");
    await makeUser(control, "ada", { teams: [{ team: "blue", roles: ["analyst", "admin"] }] }, {});
    const { token } = await makeToken(control.send, { user: "ada" });
    expect((await control.send("POST", path, { query: "SELECT 1" }, bearer(token))).status).toBe(403);
    expect(asked).toEqual([]);
    await makeUser(control, "eve", { roles: ["analyst"] }, {});
    const analyst = await makeToken(control.send, { user: "eve" });
    expect((await control.send("POST", path, { query: "SELECT 1" }, bearer(analyst.token))).status).toBe(200);
  });
});

test("501: without analytics there is nothing to ask", async () => {
  await using control = await openControlPlane();
  expect((await control.send("POST", path, { query: "SELECT 1" })).status).toBe(501);
  expect((await control.send("GET", "/api/v1/analytics/tables")).status).toBe(501);
});
