import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { AnalyticsTools } from "../../src/analytics/analytics-tools.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const path = "/api/v1/analytics/export";
const range = "from=2026-01-15T12:00:00Z&to=2026-01-15T13:00:00Z";

function notingExporter(failure?: Error) {
  const asked: unknown[] = [];
  const tools: Pick<AnalyticsTools, "exporter"> = {
    exporter: {
      async rows(...question) {
        asked.push(question);
        if (failure !== undefined) throw failure;
        return Readable.from([Buffer.from("row 1\n"), Buffer.from("row 2\n")], { objectMode: false });
      },
    },
  };
  // The other tools are not asked for here.
  return { asked, analyticsTools: async () => tools as AnalyticsTools };
}

test.each([
  ["csv", "text/csv; charset=utf-8"],
  ["ndjson", "application/x-ndjson"],
  ["parquet", "application/vnd.apache.parquet"],
])("200: the rows are passed on as %s, of that table and range", async (format, type) => {
  const { asked, analyticsTools } = notingExporter();
  await using control = await openControlPlane({ analyticsTools });
  const answer = await control.send("GET", `${path}?table=attempts&format=${format}&${range}&api=chat`);
  expect([answer.status, answer.headers.get("content-type"), answer.text]).toEqual([200, type, "row 1\nrow 2\n"]);
  const fromMs = Date.UTC(2026, 0, 15, 12);
  const selection = expect.objectContaining({ fromMs, toMs: fromMs + 3_600_000, api: "chat", teamIds: undefined });
  expect(asked).toEqual([["attempts", selection, format]]);
});

test("200: who may read a team's analytics has that team's rows", async () => {
  const { asked, analyticsTools } = notingExporter();
  await using control = await openControlPlane({ analyticsTools });
  const blue = await createTeam(control, "blue");
  await makeUser(control, "ada", { teams: [{ team: "blue", roles: ["analyst"] }] }, {});
  const { token } = await makeToken(control.send, { user: "ada" });
  expect((await control.send("GET", `${path}?${range}`, undefined, bearer(token))).status).toBe(200);
  expect(asked).toEqual([["exchanges", expect.objectContaining({ teamIds: [blue] }), "ndjson"]]);
});

test.each(["table=config_snapshots", "format=xml", "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:01Z"])(
  "400: %s",
  async (query) => {
    const { asked, analyticsTools } = notingExporter();
    await using control = await openControlPlane({ analyticsTools });
    expect((await control.send("GET", `${path}?${query}`)).status).toBe(400);
    expect(asked).toEqual([]);
  },
);

test("503: a store that does not answer in time", async () => {
  const { analyticsTools } = notingExporter(new GatewayError("store.unavailable", "too slow"));
  await using control = await openControlPlane({ analyticsTools });
  expect((await control.send("GET", `${path}?${range}`)).status).toBe(503);
});
