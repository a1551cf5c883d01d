import { expect, test } from "vitest";
import type { AnalyticsReader } from "../src/analytics/analytics-reader.ts";
import { questions } from "../src/analytics/questions/index.ts";
import { composeAlerts } from "../src/compose-alerts.ts";
import { loadConfig } from "../src/config.ts";
import { alert } from "../src/core/alert.ts";
import { alertQuestions } from "../src/core/alert-questions.ts";
import { createResource, getResource } from "../src/core/resources.ts";
import { parseJson } from "../src/kernel/parse-json.ts";
import { admin, coreFixture } from "./core/core-fixture.ts";
import { eventually } from "./kit/eventually.ts";
import { json, startMockUpstream } from "./kit/mock-upstream.ts";

test("an alert may ask every question that needs no parameter, and no other", () => {
  const asked = questions.filter(({ params }) => params.safeParse({}).success).map(({ id }) => id);
  expect(alertQuestions.slice(alertQuestions.indexOf("audience"))).toEqual(asked);
});

test("an alert on a question of its own file asks it with its parameters, filters and team", async () => {
  await using core = await coreFixture();
  const asked: unknown[] = [];
  const reader: Pick<AnalyticsReader, "ask"> = {
    async ask(question, selection, request) {
      asked.push([question.id, selection, request]);
      return { rows: [{ forecast: "70.5" }], next: undefined, fromMs: 0, toMs: 0 };
    },
  };
  const parts = { context: () => core.context, secrets: { read: () => "s" }, reader: reader as AnalyticsReader }; // asks no more
  await using alerts = composeAlerts(loadConfig({ flags: {}, env: {} }), parts);
  const spec = {
    question: "spend-forecast",
    field: "forecast",
    params: { by: "key" },
    filters: { key: "key_1" },
    condition: { above: 70 },
  };
  const { teamId } = await createResource(core.context, admin, alert, { metadata: { name: "burn" }, spec });
  const wrong = { ...spec, filters: { tool: "echo" } };
  await createResource(core.context, admin, alert, { metadata: { name: "wrong" }, spec: wrong });
  alerts.start();
  const states = async () =>
    Promise.all(
      ["burn", "wrong"].map(async (name) => {
        const { id } = await getResource(core.context, alert, name);
        return core.context.catalog.read.alerts.state(id);
      }),
    );
  await eventually("both were looked at", async () => {
    core.clock.advance(5_000);
    return (await states()).every((each) => typeof each?.evaluatedAtMs === "number");
  });
  expect(await states()).toMatchObject([
    { state: "firing", value: 70.5 },
    { state: "ok", error: "request.invalid" },
  ]);
  expect(asked[0]).toMatchObject([
    "spend-forecast",
    { key: "key_1", teamIds: [teamId] },
    { params: { by: "key" }, granularity: "total" },
  ]);
});

test("an alert that fires reaches its webhook", async () => {
  await using receiver = await startMockUpstream(json(200, {}));
  await using core = await coreFixture();
  const reader: Pick<AnalyticsReader, "topTools"> = {
    topTools: () => Promise.resolve([{ ...tool, calls: 100, failed: 10 }]),
  };
  const parts = { context: () => core.context, secrets: { read: () => "s" }, reader: reader as AnalyticsReader }; // asks no more
  await using alerts = composeAlerts(loadConfig({ flags: {}, env: {} }), parts);
  const condition = { above: 0.05 };
  const spec = { question: "top-tools", field: "failed", per: "calls", condition, webhook: { url: receiver.url } };
  await createResource(core.context, admin, alert, { metadata: { name: "tools" }, spec });
  alerts.start();
  await eventually("the webhook is told", () => {
    core.clock.advance(5_000);
    return receiver.seen.length > 0;
  });
  expect(parseJson(receiver.seen[0]?.body.toString() ?? "")).toMatchObject({
    type: "alert.fired",
    data: { alert: "tools", value: 0.1, against: 0.05, question: "top-tools", field: "failed", per: "calls" },
  });
  core.clock.advance(60_000);
  const { rows } = await core.context.catalog.read.alerts.events({}, { limit: 10 });
  expect(rows).toMatchObject([
    { alertName: "tools", type: "fired", deliveryId: receiver.seen[0]?.headers["webhook-id"] },
  ]);
});

const tool = {
  apiId: "mcp_1",
  apiName: "tools",
  tool: "echo",
  consumers: 1,
  durationMs: { p50: 1, p90: 1, p95: 1, p99: 1 },
};
