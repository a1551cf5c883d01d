import { expect, test } from "vitest";
import { exchangeColumnMeanings } from "../../src/analytics/exchange-column-meanings.ts";
import { explainExchange } from "../../src/analytics/explain-exchange.ts";
import type { ExplainedRow } from "../../src/analytics/explain-rows.ts";
import { explainedAttemptSchema, explainedRowSchema } from "../../src/analytics/explain-rows.ts";
import { explainedColumns } from "../../src/analytics/explained-facts.ts";
import type { ExplainedStep } from "../../src/analytics/explanation.ts";
import { explanationSchema } from "../../src/analytics/explanation.ts";
import { attemptRow, exchangeRow } from "../kit/event-rows.ts";

const rowOf = (over: object): ExplainedRow =>
  explainedRowSchema.parse({ ...exchangeRow(1), ts: "2026-01-15T12:00:00.001Z", ...over });
const attempt = explainedAttemptSchema.parse(attemptRow(1));
const decision = (step: string, action: string, mode = "enforce") => ({
  policy: "some-policy",
  place: "llm_1/policies[0]",
  step,
  action,
  mode,
});

function verdictsOf(over: object, attempts = [attempt]): Partial<Record<ExplainedStep, string>> {
  const explanation = explanationSchema.parse(explainExchange({ rows: [rowOf(over)], attempts, document: undefined }));
  return Object.fromEntries(explanation.operations[0]?.steps.map(({ step, verdict }) => [step, verdict]) ?? []);
}

test("what went all the way has passed every step, and shows its tries", () => {
  expect(new Set(Object.values(verdictsOf({})))).toEqual(new Set(["passed"]));
  const explained = explainExchange({ rows: [rowOf({})], attempts: [attempt], document: undefined });
  expect(explained?.operations[0]?.attempts).toEqual([
    expect.objectContaining({ attempt: 1, target: "openai", model: "small", status: 200 }),
  ]);
});

const ends = [
  {
    name: "a key that is not valid",
    over: { outcome: "denied", error_code: "auth.invalid_credentials" },
    step: "identify",
    verdict: "denied",
  },
  {
    name: "a body that is no JSON",
    over: { outcome: "failed", error_code: "request.malformed_json" },
    step: "decode",
    verdict: "failed",
  },
  {
    name: "a tool that the key may not call",
    over: { outcome: "denied", error_code: "request.not_offered", denied_by: "authorize" },
    step: "admit",
    verdict: "denied",
  },
  {
    name: "a message that only its stage tells of",
    over: { outcome: "failed", error_code: "internal", stage: "decode" },
    step: "decode",
    verdict: "failed",
  },
  {
    name: "a limit",
    over: { outcome: "denied", error_code: "limit.exceeded", decisions: [decision("admit", "deny")] },
    step: "admit",
    verdict: "denied",
  },
  {
    name: "a guardrail over the request",
    over: { outcome: "denied", error_code: "guardrail.denied", decisions: [decision("request", "deny")] },
    step: "request",
    verdict: "denied",
  },
  {
    name: "an answer from the cache",
    over: { outcome: "ok", decisions: [decision("recall", "respond")] },
    step: "request",
    verdict: "answered",
  },
  {
    name: "no target",
    over: { outcome: "upstream_error", error_code: "upstream.unavailable" },
    step: "route",
    verdict: "failed",
  },
] as const;

test.each(ends)("$name ends at $step, and nothing behind it was reached", ({ over, step, verdict }) => {
  const verdicts = Object.entries(verdictsOf(over, []));
  const place = verdicts.findIndex(([name]) => name === step);
  expect(verdicts.slice(0, place).map(([, each]) => each)).toEqual(Array(place).fill("passed"));
  expect(verdicts[place]).toEqual([step, verdict]);
  expect(new Set(verdicts.slice(place + 1).map(([, each]) => each))).toEqual(new Set(["not reached"]));
});

test("an upstream that fails is told at the call, a guardrail over the answer at the response", () => {
  expect(verdictsOf({ outcome: "upstream_error", error_code: "upstream.timeout" })).toMatchObject({
    route: "passed",
    call: "failed",
    response: "not reached",
  });
  const refused = { outcome: "denied", error_code: "guardrail.denied", decisions: [decision("response", "deny")] };
  expect(verdictsOf(refused)).toMatchObject({ call: "passed", response: "denied" });
});

test("what monitors only ends nothing, and is told", () => {
  const over = { decisions: [decision("request", "deny", "monitor")] };
  expect(verdictsOf(over)).toMatchObject({ request: "passed", response: "passed" });
  const explained = explainExchange({ rows: [rowOf(over)], attempts: [attempt], document: undefined });
  expect(explained?.operations[0]?.steps.find(({ step }) => step === "request")).toMatchObject({
    summary: "Let through, 1 in monitor mode would have refused it.",
    decisions: [{ policy: "some-policy", mode: "monitor" }],
  });
});

test("tools that were hidden, routes and their reasons stand at their steps", () => {
  const over = {
    tools_after_authz: 3,
    route_reason: "cheapest that is good enough",
    route_gates: [],
    route_name: null,
  };
  const explained = explainExchange({ rows: [rowOf(over)], attempts: [attempt], document: undefined });
  const facts = Object.fromEntries(explained?.operations[0]?.steps.map((each) => [each.step, each.facts]) ?? []);
  expect(facts).toMatchObject({
    identify: { key_id: "key_1", auth_method: "api-key" },
    request: { tools_after_authz: 3 },
    route: { route_reason: "cheapest that is good enough" },
  });
  expect(facts["route"]).not.toHaveProperty("route_name");
  expect(facts["route"]).not.toHaveProperty("route_gates");
});

test("what was attached is read from the configuration of then, of the request's own owners, in order", () => {
  const spec = (use: string) => ({ policies: [{ use }] });
  const document = JSON.stringify({
    apis: [
      { kind: "LlmApi", id: "llm_1", name: "chat", spec: { policies: [{ use: "pii", mode: "monitor" }] } },
      { kind: "LlmApi", id: "llm_2", name: "other", spec: spec("not-of-this") },
    ],
    supporting: [
      { kind: "Plan", id: "plan_1", name: "gold", spec: spec("rate-limit") },
      { kind: "Plan", id: "plan_2", name: "silver", spec: spec("not-of-this") },
      { kind: "Gateway", id: "gateway_1", name: "default", spec: spec("ip-filter") },
      { kind: "LlmProvider", id: "provider_1", name: "openai", spec: {} },
    ],
  });
  const explained = explainExchange({ rows: [rowOf({ plan_id: "plan_1" })], attempts: [], document });
  expect(explained?.config).toMatchObject({
    isKept: true,
    attached: [
      { place: "gateway_1/policies[0]", policy: "ip-filter", mode: "enforce", owner: "Gateway default" },
      { place: "llm_1/policies[0]", policy: "pii", mode: "monitor", owner: "LlmApi chat" },
      { place: "plan_1/policies[0]", policy: "rate-limit", mode: "enforce", owner: "Plan gold" },
    ],
  });
});

test("without its configuration it says what is missing", () => {
  const explained = explainExchange({ rows: [rowOf({})], attempts: [], document: undefined });
  expect(explained?.config).toMatchObject({ isKept: false, attached: [] });
  expect(explained?.notRecorded.join()).toContain("configuration of then");
});

test("the columns that steps are told by are columns of the table, each at one step", () => {
  const shown = Object.values(explainedColumns).flat();
  expect(shown.filter((column) => !Object.hasOwn(exchangeColumnMeanings, column))).toEqual([]);
  expect(new Set(shown).size).toBe(shown.length);
});

test("an upstream's own error ends the call, and its answer went on to the client", () => {
  const over = { outcome: "upstream_error", http_status: 200, jsonrpc_error_code: -32_603 };
  expect(verdictsOf(over)).toMatchObject({ call: "failed", response: "passed" });
  const explained = explainExchange({ rows: [rowOf(over)], attempts: [attempt], document: undefined });
  expect(explained?.operations[0]?.steps.find(({ step }) => step === "call")?.summary).toBe(
    "The upstream answered with the JSON-RPC error -32603.",
  );
});
