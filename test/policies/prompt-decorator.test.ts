import { afterAll, beforeAll, expect, test } from "vitest";
import { promptDecorator } from "../../src/policies/prompt-decorator.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const config = {
  prepend: { turns: [{ role: "system", text: "Be kind." }], text: "Question:" },
  append: { turns: [{ role: "user", text: "Be brief." }], text: "(so far)" },
  separator: " ",
};

test("adds turns and texts, which guardrails further down the list see", async () => {
  const guard = { use: "regex", with: { patterns: [{ pattern: "so far", action: "redact", replacement: "now" }] } };
  const policies = [{ use: "prompt-decorator", with: config }, guard];
  const api = await gatehouse.llm("decorated", `${upstream.url}/v1`, { policies });
  const messages = [
    { role: "user", content: "hello" },
    { role: "assistant", content: "hi" },
    { role: "user", content: [{ type: "text", text: "why?" }] },
  ];
  await fetch(`${api.url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
    body: JSON.stringify({ model: "gpt-test", messages }),
  });
  const sent = JSON.parse(upstream.seen.at(-1)?.body.toString() ?? "") as { messages: unknown }; // as it was sent
  expect(sent.messages).toEqual([
    { role: "system", content: "Be kind." },
    ...messages.slice(0, 2),
    { role: "user", content: [{ type: "text", text: "Question: why? (now)" }] },
    { role: "user", content: "Be brief." },
  ]);
});

test("leaves what is no conversation", async () => {
  const api = await gatehouse.llm("embedded", `${upstream.url}/v1`, {
    policies: [{ use: "prompt-decorator", with: config }],
  });
  await fetch(`${api.url}/embeddings`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${api.key}` },
    body: JSON.stringify({ model: "e", input: "hello" }),
  });
  expect(JSON.parse(upstream.seen.at(-1)?.body.toString() ?? "")).toMatchObject({ input: "hello" });
});

test("is refused at publish where there are no conversations", async () => {
  const production = { url: `${upstream.url}/mcp` };
  const spec = { context: "/tools", upstream: { production, sandbox: { sameAs: "production" } } };
  const put = gatehouse.put("McpServer", "tools", { ...spec, policies: [{ use: "prompt-decorator", with: config }] });
  await expect(put).rejects.toMatchObject({
    issues: [{ path: expect.stringContaining("policies[0].use"), message: expect.stringContaining("McpServer") }],
  });
});

test.each([{}, { prepend: {} }, { append: { turns: [] } }, { prepend: { turns: [{ role: "tool", text: "x" }] } }])(
  "the configuration %j is refused",
  (wrong) => {
    expect(promptDecorator.config.safeParse(wrong).success).toBe(false);
  },
);
