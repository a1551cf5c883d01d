import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findKind } from "../../../src/core/kinds.ts";
import { undeployApi } from "../../../src/core/publishing.ts";
import { command } from "../../cli/test-shell.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

const rules = [
  { name: "gold", tests: [{ in: "header", name: "x-tier", value: "gold" }], targets: ["one"] },
  { name: "acme", tests: [{ in: "claim", name: "org", value: "acme" }], targets: ["two"] },
  { name: "trial", tests: [{ in: "query", name: "trial", is: "there" }], targets: ["two"] },
];

beforeAll(async () => {
  upstream = await startMockUpstream(chatAnswer("hello"));
  gatehouse = await startTestGatehouse();
  for (const name of ["one", "two"]) {
    await gatehouse.put("LlmProvider", name, { use: "openai-compatible", with: { baseUrl: `${upstream.url}/v1` } });
  }
  const strategy = { use: "content", with: { rules, default: ["two", "one"] } };
  const targets = [{ provider: "one", models: ["gpt-*"] }, { provider: "two" }];
  await gatehouse.put("LlmApi", "routed", {
    context: "/routed",
    upstream: {
      production: { targets, strategy },
      sandbox: { targets: [{ provider: "two", models: ["small"] }] },
    },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function tested(body: object, name = "routed") {
  const answer = await fetch(`${gatehouse.running.controlUrl}/api/v1/llm-apis/${name}/route:test`, {
    method: "POST",
    headers: { authorization: `Bearer ${gatehouse.running.adminToken}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }; // a decision or a problem
}

const request = { model: "gpt-5", messages: [{ role: "user", content: "hello" }] };

describe("a request that is routed and not sent", () => {
  test.each([
    { name: "a header", given: { headers: { "X-Tier": "gold" } }, route: "gold", targets: ["one", "two"] },
    { name: "a claim", given: { claims: { org: "acme" } }, route: "acme", targets: ["two", "one"] },
    { name: "a parameter", given: { query: "trial=1" }, route: "trial", targets: ["two", "one"] },
    { name: "nothing of note", given: {}, route: null, targets: ["two", "one"] },
  ])("is told where it would go by $name", async ({ given, route, targets }) => {
    const { status, body } = await tested({ request, ...given });
    expect({ status, ...body }).toMatchObject({ status: 200, strategy: "content", route, targets, refusal: null });
    expect(body["configHash"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("goes to the targets that serve its model, in every dialect", async () => {
    for (const endpoint of ["chat/completions", "responses", "messages"]) {
      const { body } = await tested({
        endpoint,
        request: { ...request, model: "other", max_tokens: 5, input: "hello" },
      });
      expect(body).toMatchObject({ targets: ["two"], refusal: null });
    }
  });

  test("tells why nothing would be tried, and looks at the environment that was asked for", async () => {
    const { body } = await tested({ request, environment: "sandbox" });
    expect(body).toMatchObject({ targets: [], refusal: { code: "request.not_offered" } });
  });

  test("reaches no upstream and leaves no row", async () => {
    await tested({ request });
    expect([upstream.seen, await gatehouse.events()]).toEqual([[], []]);
  });

  test.each([
    { name: "a body that its endpoint would refuse", body: { request: { messages: [] } }, status: 400 },
    { name: "no body", body: {}, status: 400 },
    { name: "another endpoint", body: { request, endpoint: "files" }, status: 400 },
  ])("$name is refused", async ({ body, status }) => {
    expect((await tested(body)).status).toBe(status);
  });

  test("an API that is not there, and one that is not deployed, are told apart", async () => {
    expect((await tested({ request }, "nothing")).status).toBe(404);
    await gatehouse.put("LlmApi", "draft", {
      context: "/draft",
      upstream: { production: { targets: [{ provider: "one" }] }, sandbox: { sameAs: "production" } },
    });
    const kind = findKind("LlmApi");
    if (kind === undefined) return expect.unreachable();
    await undeployApi(gatehouse.running.context, { type: "system", id: "test" }, kind, "draft");
    expect(await tested({ request }, "draft")).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("publish it first") },
    });
  });
});

test("gatehouse routing test prints the decision", async () => {
  const { controlUrl, adminToken } = gatehouse.running;
  const args = ["routing", "test", "routed", "--model", "gpt-5", "--message", "hello", "--header", "x-tier: gold"];
  const { code, out, notes } = await command([...args, "--control-url", controlUrl, "--token", adminToken], {
    cwd: process.cwd(),
  });
  expect({ code, notes }).toEqual({ code: 0, notes: expect.any(String) });
  expect(out.join("\n")).toMatch(/would go to one, two\n.*content.*gold.*matched/);
});
