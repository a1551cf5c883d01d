import { afterAll, beforeAll, expect, test } from "vitest";
import { alert } from "../../src/core/alert.ts";
import type { AlertEventRow } from "../../src/core/alert-tables.ts";
import { getResource } from "../../src/core/resources.ts";
import type { WebhookDeliveryRow } from "../../src/core/webhook-tables.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { command } from "./test-shell.ts";

let gatehouse: TestGatehouse;

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  const spec = { question: "errors", field: "count", condition: { above: 5 } };
  await gatehouse.put("Alert", "failures", spec);
  const { context } = gatehouse.running;
  const { id: alertId, teamId } = await getResource(context, alert, "failures");
  const common = { alertId, alertName: "failures", teamId, against: 5, deliveryId: null };
  const nowMs = Date.now(); // what is old is deleted while it runs
  const events: readonly AlertEventRow[] = [
    { ...common, id: "ale_1" as AlertEventRow["id"], type: "fired", atMs: nowMs, value: 9 }, // made up
    { ...common, id: "ale_2" as AlertEventRow["id"], type: "resolved", atMs: nowMs, value: 1 }, // made up
  ];
  const delivery: WebhookDeliveryRow = {
    id: "whd_1" as WebhookDeliveryRow["id"], // made up
    source: "Alert/failures",
    teamId,
    url: "https://hooks.example.com/canary",
    secret: null,
    body: "{}",
    state: "dead",
    attempts: 8,
    nextAtMs: 0,
    lastStatus: 500,
    lastError: "it answered 500",
    createdAtMs: 0,
    endedAtMs: nowMs,
  };
  await context.catalog.transaction(async (tx) => {
    for (const event of events) await tx.alerts.addEvent(event);
    await tx.webhookDeliveries.insert(delivery);
  });
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

const alerts = (...args: string[]) =>
  command(["alerts", ...args, "--data", gatehouse.dataDir], { cwd: gatehouse.dataDir });

test("all alerts are listed with how they stand", async () => {
  const { code, out } = await alerts("list");
  expect([code, out.length]).toEqual([0, 2]);
  expect(out[1]).toMatch(/^failures +ok/);
});

test("the history is printed newest first, of one alert too, and as JSON", async () => {
  const { out } = await alerts("history");
  expect(out.slice(1).map((line) => line.split(/ {2,}/).slice(1, 5))).toEqual([
    ["failures", "resolved", "1", "5"],
    ["failures", "fired", "9", "5"],
  ]);
  expect((await alerts("history", "failures", "--limit", "1")).out).toHaveLength(2);
  expect((await alerts("history", "--json")).out.join("")).toContain('"type": "fired"');
});

test("what nobody has taken is printed without the webhook's path", async () => {
  const { out } = await alerts("deliveries", "--state", "dead");
  expect(out[1]).toMatch(/^whd_1 +Alert\/failures +hooks\.example\.com +dead +8 +it answered 500/);
  expect(out.join()).not.toContain("canary");
});

test("a webhook is told again by the delivery's id", async () => {
  expect((await alerts("retry", "whd_none")).code).not.toBe(0);
  const { code, notes } = await alerts("retry", "whd_1");
  expect([code, notes]).toEqual([0, "hooks.example.com is told again of Alert/failures"]);
});

test("a limit that is none is refused", async () => {
  expect((await alerts("history", "--limit", "many")).notes).toContain("a whole number, 1 to 100000");
});

test("a state that there is not is refused", async () => {
  const { code, notes } = await alerts("deliveries", "--state", "lost");
  expect(code).not.toBe(0);
  expect(notes).toContain("state");
});
