import { expect, test } from "vitest";
import type { AlertSpec } from "../../src/core/alert.ts";
import { alert } from "../../src/core/alert.ts";
import { createAlertEvaluator, evaluateAlert } from "../../src/core/alert-evaluator.ts";
import type { AlertSelection } from "../../src/core/alert-questions.ts";
import type { Resource } from "../../src/core/resource.ts";
import { createResource, deleteResource } from "../../src/core/resources.ts";
import type { WebhookMessage } from "../../src/core/webhook-sender.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { eventually } from "../kit/eventually.ts";
import { admin, coreFixture } from "./core-fixture.ts";

/** An alert of that spec in a catalog, whose question is answered by the test. */
async function start(spec: object) {
  const fixture = await coreFixture();
  const { context, clock } = fixture;
  const asked: AlertSelection[] = [];
  const told: WebhookMessage[] = [];
  let answer = (_selection: AlertSelection): number => 0;
  const options = {
    context: () => context,
    ask: async (_question: string, selection: AlertSelection) => {
      asked.push(selection);
      return [{ count: answer(selection) }];
    },
    webhooks: {
      enqueue: async (_write: unknown, message: WebhookMessage) => {
        told.push(message);
        return `whd_${told.length}` as never; // made up
      },
      wake: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
  };
  const body = { metadata: { name: "errors" }, spec: { question: "errors", field: "count", ...spec } };
  const resource = (await createResource(context, admin, alert, body)) as Resource<AlertSpec>; // of that kind
  return {
    ...fixture,
    options,
    resource,
    asked,
    told,
    answer(next: number | ((selection: AlertSelection) => number)) {
      answer = typeof next === "number" ? () => next : next;
    },
    async look(value?: number) {
      if (value !== undefined) answer = () => value;
      clock.advance(60_000);
      await evaluateAlert(resource, options);
      return context.catalog.read.alerts.state(resource.id);
    },
    events: async () => (await context.catalog.read.alerts.events({}, { limit: 50 })).rows,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

const webhook = { url: "https://hooks.example.com/x", secret: undefined };

test("what goes over the threshold is kept and told, with its end", async () => {
  await using run = await start({ condition: { above: 5 }, resolveAt: 2, webhook: { url: webhook.url } });
  expect(await run.look(5)).toMatchObject({ state: "ok", value: 5 });
  expect(await run.look(6)).toMatchObject({ state: "firing", value: 6 });
  expect(await run.look(3)).toMatchObject({ state: "firing" });
  expect(await run.look(2)).toMatchObject({ state: "ok" });
  expect(run.told).toMatchObject([
    { ...webhook, source: "Alert/errors", type: "alert.fired", data: { alert: "errors", value: 6, against: 5 } },
    { type: "alert.resolved", data: { value: 2 } },
  ]);
  expect(await run.events()).toMatchObject([
    { type: "resolved", alertName: "errors", deliveryId: "whd_2" },
    { type: "fired", value: 6, against: 5, deliveryId: "whd_1" },
  ]);
});

test("it asks of the window that ends now, and of its own team's APIs unless it watches all", async () => {
  await using run = await start({ condition: { above: 5 }, windowSeconds: 600, api: "chat" });
  await run.look(1);
  const toMs = run.clock.now();
  const { teamId } = run.resource;
  expect(run.asked).toEqual([{ fromMs: toMs - 600_000, toMs, api: "chat", environment: undefined, teamIds: [teamId] }]);
  await using all = await start({ condition: { above: 5 }, teams: "all" });
  await all.look(1);
  expect(all.asked).toMatchObject([{ teamIds: undefined }]);
});

test("what is unlike itself in the windows before fires", async () => {
  await using run = await start({ condition: { anomaly: { periods: 5, deviations: 4 } } });
  const nowMs = () => run.clock.now();
  run.answer(({ toMs }) => (toMs === nowMs() ? 12 : 10 + (Math.round((nowMs() - toMs) / 86_400_000) % 3)));
  expect(await run.look()).toMatchObject({ state: "ok", value: 12 });
  expect(run.asked).toHaveLength(6);
  run.answer(({ toMs }) => (toMs === nowMs() ? 40 : 10 + (Math.round((nowMs() - toMs) / 86_400_000) % 3)));
  expect(await run.look()).toMatchObject({ state: "firing", value: 40 });
  expect(await run.events()).toMatchObject([{ type: "fired", against: 11 }]);
});

test("of two processes one takes each look", async () => {
  await using run = await start({ condition: { above: 5 } });
  run.answer(9);
  run.clock.advance(60_000);
  await Promise.all([evaluateAlert(run.resource, run.options), evaluateAlert(run.resource, run.options)]);
  await evaluateAlert(run.resource, run.options);
  expect([run.asked.length, (await run.events()).length]).toEqual([1, 1]);
});

test("a question that is not answered leaves it as it stands, and says so", async () => {
  await using run = await start({ condition: { above: 5 } });
  await run.look(9);
  run.answer(() => {
    throw new GatewayError("store.unavailable", "away");
  });
  expect(await run.look()).toMatchObject({ state: "firing", error: "store.unavailable" });
  expect(await run.look(9)).toMatchObject({ state: "firing", error: null });
});

test("the history outlives its alert, and what it stands at does not", async () => {
  await using run = await start({ condition: { above: 5 } });
  await run.look(9);
  await deleteResource(run.context, admin, alert, "errors", run.resource.version);
  expect(await run.context.catalog.read.alerts.state(run.resource.id)).toBeUndefined();
  expect(await run.events()).toHaveLength(1);
});

test("alerts are looked at while it runs, those that are off are not, and the history ends after ninety days", async () => {
  await using run = await start({ condition: { above: 5 } });
  const off = { question: "traffic", field: "requests", condition: { above: 0 }, enabled: false };
  await createResource(run.context, admin, alert, { metadata: { name: "off" }, spec: off });
  run.answer(9);
  {
    await using evaluator = createAlertEvaluator(run.options);
    evaluator.start();
    run.clock.advance(5_000);
    await eventually("it has fired", async () => (await run.events()).length === 1);
    expect(run.asked).toHaveLength(1);
  }
  await using evaluator = createAlertEvaluator({ ...run.options, ask: () => Promise.resolve([]) });
  run.clock.advance(91 * 86_400_000);
  evaluator.start();
  run.clock.advance(5_000);
  await eventually("what was fired is gone", async () => (await run.events()).every(({ type }) => type === "resolved"));
});
