import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkAlert } from "../../src/analytics/check-alert.ts";
import { alertEventSchema, alertStateSchema, webhookDeliverySchema } from "../../src/control/alert-routes.ts";
import type { AlertSpec } from "../../src/core/alert.ts";
import { alert } from "../../src/core/alert.ts";
import { alertQuestions } from "../../src/core/alert-questions.ts";
import type { AlertEventRow } from "../../src/core/alert-tables.ts";
import type { WebhookDeliveryRow } from "../../src/core/webhook-tables.ts";
import { bearer, makeToken, makeUser } from "./access-kit.ts";
import { storedAlert } from "./alert-kit.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";
import { createTeam } from "./team-kit.ts";

const spec = { question: "errors", field: "count", condition: { above: 5 } };

let plane: ControlPlane;
let red: string;

beforeAll(async () => {
  plane = await openControlPlane({ core: { checkAlert: async (each) => checkAlert(each) } });
  for (const team of ["red", "blue"]) {
    await createTeam(plane, team);
    const made = await plane.send("POST", "/api/v1/alerts", { metadata: { name: `${team}-errors`, team }, spec });
    expect(made.status).toBe(201);
    const { id, teamId } = await storedAlert(plane, `${team}-errors`);
    const event: AlertEventRow = {
      id: `ale_${team}` as AlertEventRow["id"], // made up
      alertId: id,
      alertName: `${team}-errors`,
      teamId,
      type: "fired",
      atMs: 1_000,
      value: 9,
      against: 5,
      deliveryId: null,
    };
    await plane.context.catalog.transaction((tx) => tx.alerts.addEvent(event));
  }
  await makeUser(plane, "robot", { teams: [{ team: "red", roles: ["api-publisher"] }] }, {});
  red = (await makeToken(plane.send, { user: "robot" })).token;
});

afterAll(() => plane[Symbol.asyncDispose]());

const specOf = (value: unknown): AlertSpec => alert.spec.parse(value);
const asRed = (path: string) => plane.send("GET", path, undefined, bearer(red));

describe("200", () => {
  test("an alert that nobody has looked at yet is ok", async () => {
    const { body } = await plane.send("GET", "/api/v1/alerts/red-errors/state");
    expect(alertStateSchema.parse(body)).toMatchObject({ name: "red-errors", state: "ok", since: null, value: null });
  });

  test("how an alert stands is shown", async () => {
    const { id } = await storedAlert(plane, "red-errors");
    const row = { alertId: id, state: "firing", sinceMs: 0, calmSinceMs: null, toldAtMs: 0, value: 9 } as const;
    await plane.context.catalog.transaction(async (tx) => {
      await tx.alerts.claim(id, null, 5);
      await tx.alerts.update({ ...row, error: null, evaluatedAtMs: 0 });
    });
    const { body } = await plane.send("GET", "/api/v1/alerts/red-errors/state");
    expect(body).toMatchObject({ state: "firing", value: 9, since: "1970-01-01T00:00:00.000Z" });
  });

  test("the history is of all alerts or of one, and of the teams that the caller has", async () => {
    const names = ({ items }: { readonly items: readonly unknown[] }) =>
      items.map((each) => alertEventSchema.parse(each).alert);
    expect(names((await plane.send("GET", "/api/v1/alert-events")).body)).toEqual(["blue-errors", "red-errors"]);
    const one = await plane.send("GET", "/api/v1/alert-events?alert=red-errors");
    expect(names(one.body)).toEqual(["red-errors"]);
    expect(names((await asRed("/api/v1/alert-events")).body)).toEqual(["red-errors"]);
  });

  test("what a webhook is told shows its host, and neither its path, its body nor its secret", async () => {
    const { teamId } = await storedAlert(plane, "blue-errors");
    await plane.context.catalog.transaction((tx) =>
      tx.webhookDeliveries.insert({
        id: "whd_1" as never, // made up
        source: "Alert/blue-errors",
        teamId,
        url: "https://hooks.example.com/canary-path",
        secret: "canary-secret",
        body: "canary-body",
        state: "dead",
        attempts: 8,
        nextAtMs: 0,
        lastStatus: 500,
        lastError: "it answered 500",
        createdAtMs: 0,
        endedAtMs: 1,
      }),
    );
    const { body } = await plane.send("GET", "/api/v1/webhook-deliveries?state=dead");
    const [shown] = body.items;
    expect(webhookDeliverySchema.parse(shown)).toMatchObject({ host: "hooks.example.com", state: "dead", attempts: 8 });
    expect(JSON.stringify(body)).not.toContain("canary");
    expect((await asRed("/api/v1/webhook-deliveries")).body).toMatchObject({ items: [] });
  });
});

describe("422", () => {
  const wrong = [
    { name: "a parameter that the question does not have", spec: { params: { by: "key" } }, path: "spec.params.by" },
    {
      name: "a value that a parameter does not take",
      spec: { question: "spend-forecast", field: "forecast", params: { by: "moon" } },
      path: "spec.params.by",
    },
    { name: "a field that no row has", spec: { field: "counted" }, path: "spec.field" },
    { name: "a field that is no value", spec: { question: "latency", field: "durationMs" }, path: "spec.field" },
    { name: "a share of nothing that rows have", spec: { per: "requests" }, path: "spec.per" },
    { name: "traffic by no field of the rows", spec: { atLeast: { field: "n", sum: 1 } }, path: "spec.atLeast.field" },
    { name: "rows by no field of theirs", spec: { where: { tool: "x" } }, path: "spec.where.tool" },
    {
      name: "tries by their tool",
      spec: { question: "costs", field: "cost", filters: { tool: "x" } },
      path: "spec.filters.tool",
    },
  ];

  test.each(wrong)("an alert that asks for $name is refused when it is saved, and applied", async (row) => {
    const document = { metadata: { name: "wrong" }, spec: { ...spec, ...row.spec } };
    const refused = await plane.send("POST", "/api/v1/alerts", document);
    expect([refused.status, refused.body.errors.map(({ path }) => path)]).toEqual([422, [row.path]]);
    const value = { apiVersion: "gatehouse/v1", kind: "Alert", ...document };
    const applied = await plane.send("POST", "/api/v1/apply", { documents: [{ source: "a.yaml", line: 3, value }] });
    expect([applied.status, applied.body.errors.map(({ path }) => path)]).toEqual([422, [`a.yaml:3 ${row.path}`]]);
  });

  test.each([...alert.examples])("an example of ours asks what can be asked: $question", (example) => {
    expect(checkAlert(specOf(example))).toEqual([]);
  });

  test("every question that an alert may ask is known, with the fields that its rows have", () => {
    for (const question of alertQuestions) {
      const asked = { question, field: "nothing.of.it", condition: { above: 1 } };
      expect([question, checkAlert(specOf(asked)).map(({ path }) => path)]).toEqual([question, ["spec.field"]]);
    }
  });
});

describe("a delivery that nobody has taken", () => {
  const put = async (team: string, id: string, state: WebhookDeliveryRow["state"]) => {
    const { teamId } = await storedAlert(plane, `${team}-errors`);
    const row: WebhookDeliveryRow = {
      id: id as WebhookDeliveryRow["id"], // made up
      source: `Alert/${team}-errors`,
      teamId,
      url: "https://hooks.example.com/x",
      secret: null,
      body: "{}",
      state,
      attempts: 8,
      nextAtMs: 0,
      lastStatus: 500,
      lastError: "it answered 500",
      createdAtMs: 0,
      endedAtMs: 1,
    };
    await plane.context.catalog.transaction((tx) => tx.webhookDeliveries.insert(row));
  };
  const retry = (id: string, headers = {}) =>
    plane.send("POST", `/api/v1/webhook-deliveries/${id}/retry`, undefined, headers);

  test("is due again, with all its tries, and the audit says by whom", async () => {
    await put("red", "whd_dead", "dead");
    const { status, body } = await retry("whd_dead", bearer(red));
    expect(status).toBe(200);
    const nextAt = new Date(plane.clock.now()).toISOString();
    expect(webhookDeliverySchema.parse(body)).toMatchObject({ state: "pending", attempts: 0, nextAt, endedAt: null });
    expect(await plane.context.catalog.read.webhookDeliveries.next(10)).toMatchObject([{ id: "whd_dead" }]);
    const { items } = (await plane.send("GET", "/api/v1/audit?action=webhook.retried")).body;
    expect(items).toMatchObject([{ action: "webhook.retried", kind: "WebhookDelivery", resourceId: "whd_dead" }]);
  });

  test("is left alone where it was taken, is another team's, or is not there", async () => {
    await put("red", "whd_taken", "delivered");
    await put("blue", "whd_blue", "dead");
    expect((await retry("whd_taken")).status).toBe(409);
    expect((await retry("whd_blue", bearer(red))).status).toBe(404);
    expect((await retry("whd_none")).status).toBe(404);
  });
});

describe("400", () => {
  test("a condition must be one, and the way back must not lie beyond it", async () => {
    const both = { ...spec, condition: { above: 5, below: 1 } };
    const beyond = { ...spec, resolveAt: 6 };
    for (const wrong of [both, beyond, { ...spec, field: "a..b" }, { ...spec, question: "none" }]) {
      const body = { metadata: { name: "wrong" }, spec: wrong };
      expect((await plane.send("POST", "/api/v1/alerts", body)).status).toBe(422);
    }
  });
});

describe("403", () => {
  test("who may write alerts of a team may not watch all teams, nor make an alert of theirs do so", async () => {
    const send = (method: string, path: string, more: object) =>
      plane.send(
        method,
        path,
        { metadata: { name: "red-all", team: "red" }, spec: { ...spec, ...more } },
        {
          ...bearer(red),
          "if-match": "*",
        },
      );
    expect((await send("POST", "/api/v1/alerts", { teams: "all" })).status).toBe(403);
    expect((await send("POST", "/api/v1/alerts", {})).status).toBe(201);
    expect((await send("PUT", "/api/v1/alerts/red-all", { teams: "all" })).status).toBe(403);
  });
});

describe("404", () => {
  test("another team's alert is not there", async () => {
    expect((await asRed("/api/v1/alerts/blue-errors/state")).status).toBe(404);
    expect((await plane.send("GET", "/api/v1/alerts/none/state")).status).toBe(404);
  });
});
