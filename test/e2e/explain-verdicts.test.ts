import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExplainedStep, Explanation } from "../../src/analytics/explanation.ts";
import { explainedSteps, explanationSchema } from "../../src/analytics/explanation.ts";
import { keyFor, publishServer } from "../gateway/mcp/published-server.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import type { TestApi } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, json, startMockUpstream } from "../kit/mock-upstream.ts";
import type { McpTraffic } from "./mcp-traffic.ts";
import { fail, message, startMcpTraffic } from "./mcp-traffic.ts";

/** What is to be told: the step at which it ended, how, and words of that step's summary; nothing ends what went through. */
interface Told {
  readonly at?: ExplainedStep;
  readonly verdict?: "denied" | "failed" | "answered";
  readonly summary?: string;
  /** Steps behind that, when the answer was looked at all the same. */
  readonly isRelayed?: boolean;
  readonly tries: number;
  /** What else a step tells. */
  readonly facts?: Partial<Record<ExplainedStep, object>>;
  readonly words?: Partial<Record<ExplainedStep, string>>;
}

const jsonRpcError = (code: number): Told => ({
  at: "call",
  verdict: "failed",
  summary: `answered with the JSON-RPC error ${code}`,
  isRelayed: true,
  tries: 1,
  facts: { response: { jsonrpc_error_code: code, result_type: "error" } },
});
const refusedAt = (at: ExplainedStep, summary: string): Told => ({ at, verdict: "denied", summary, tries: 0 });

const stories: Readonly<Record<string, Told>> = {
  auth: refusedAt("identify", "auth.missing_credentials"),
  "another key": refusedAt("identify", "by api-key with auth.invalid_credentials"),
  parseHere: refusedAt("decode", "request.malformed_json"),
  invalidRequestHere: refusedAt("decode", "request.invalid"),
  notAllowed: refusedAt("admit", "by authorize with request.not_offered"),
  "a model that is not for the key": refusedAt("admit", "by authorize with request.not_offered"),
  throttled: refusedAt("admit", "by rate-limit with limit.exceeded"),
  guardrail: refusedAt("request", "by regex with guardrail.denied"),
  "forbidden words": refusedAt("request", "by regex with guardrail.denied"),
  internal: jsonRpcError(-32_603),
  server: jsonRpcError(-32_050),
  upstream: { at: "call", verdict: "failed", summary: "upstream.reset", tries: 1 },
  toolError: {
    tries: 1,
    words: { response: "the tool itself says that it failed", call: "One try." },
    facts: { response: { tool_error: true } },
  },
  "a list for a task": {
    tries: 1,
    words: { request: "changed by 1" },
    facts: { request: { tools_total: 3, tools_after_filter: 1, filter_mode: "rank" } },
  },
  "a list for few": {
    tries: 1,
    words: { request: "Of 3 tools the caller may see 2." },
    facts: { request: { tools_after_authz: 2 } },
  },
  "a failover": {
    tries: 2,
    words: { call: "2 tries: the last one was answered.", request: "No guardrail or filter has changed it." },
    facts: { request: { cache: "miss" }, response: { output_tokens: 3 } },
  },
  "the same question": {
    at: "request",
    verdict: "answered",
    summary: "no upstream was asked",
    tries: 0,
    facts: { request: { cache: "hit" } },
  },
  "watched words": { tries: 2, words: { request: "1 in monitor mode would have refused it" } },
  "secret words": { tries: 2, words: { request: "changed by 1" } },
};

/** Chats of each kind, and lists of tools; answers the exchanges' ids by the stories' names. */
async function chats(traffic: McpTraffic, good: MockUpstream, bad: MockUpstream): Promise<Record<string, string>> {
  const { gatehouse, notes, upstream } = traffic;
  for (const [name, { url }] of Object.entries({ good, bad })) {
    await gatehouse.put("LlmProvider", name, { use: "openai-compatible", with: { baseUrl: `${url}/v1` } });
  }
  const rule = (pattern: string, action: string) => ({ pattern, action });
  const strategy = { use: "failover" } as const;
  const production = { strategy, targets: [{ provider: "bad" }, { provider: "good" }] };
  const api = await gatehouse.llm("chat", `${good.url}/v1`, {
    upstream: { production, sandbox: { sameAs: "production" } },
    policies: [
      { use: "regex", mode: "monitor", with: { patterns: [rule("watched", "deny")] } },
      { use: "regex", with: { patterns: [rule("secret", "redact"), rule("forbidden", "deny")] } },
      { use: "semantic-cache", with: {} },
    ],
  });
  const limited = await gatehouse.key("chat", { allow: ["other"] });
  const filter = { use: "semantic-tool-filter", with: { limit: 1 } };
  const filtered = await publishServer(gatehouse, "filtered", `${upstream.url}/mcp`, { policies: [filter] });
  const task = await filtered.post(message("tools/list", { _meta: { "io.gatehouse/task": "read what a says" } }));
  const few = await notes.post(message("tools/list"), { key: await keyFor(gatehouse, "notes", { allow: ["read_*"] }) });
  return {
    "a list for a task": String(task.headers["x-request-id"]),
    "a list for few": String(few.headers["x-request-id"]),
    "a failover": await chat(api, "What is the capital of France?"),
    "the same question": await chat(api, "What is the capital of France?"),
    "watched words": await chat(api, "something watched"),
    "secret words": await chat(api, "something secret"),
    "forbidden words": await chat(api, "something forbidden"),
    "another key": await chat({ ...api, key: "nobody's" }, "Hi"),
    "a model that is not for the key": await chat({ ...api, key: limited }, "Hi"),
  };
}

async function chat({ url, key }: TestApi, content: string): Promise<string> {
  const response = await fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content }] }),
  });
  await response.arrayBuffer();
  return response.headers.get("x-request-id") ?? "";
}

describeWithEngine("what is told of a request is what happened to it", () => {
  let traffic: McpTraffic;
  let ids: Record<string, string>;
  beforeAll(async () => {
    traffic = await startMcpTraffic();
    await using good = await startMockUpstream(chatAnswer("Hello."));
    await using bad = await startMockUpstream(json(503, { error: { message: "no" } }));
    ids = await chats(traffic, good, bad);
    for (const [name, { headers }] of Object.entries(await fail(traffic))) ids[name] = String(headers["x-request-id"]);
    await traffic.settle();
  }, 120_000);
  afterAll(() => traffic[Symbol.asyncDispose]());

  async function explained(name: string): Promise<Explanation> {
    const { controlUrl, adminToken } = traffic.gatehouse.running;
    const answer = await fetch(`${controlUrl}/api/v1/analytics/exchanges/${ids[name]}/explain`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    return explanationSchema.parse(await answer.json());
  }

  test.each(Object.entries(stories))("%s", async (name, told) => {
    const { operations, config } = await explained(name);
    expect([operations.length, config.isKept]).toEqual([1, true]);
    const [operation] = operations;
    const place = told.at === undefined ? explainedSteps.length : explainedSteps.indexOf(told.at);
    const behind = told.isRelayed === true ? "passed" : "not reached";
    const verdicts = explainedSteps.map((_, at) => (at < place ? "passed" : at === place ? told.verdict : behind));
    expect(operation?.steps.map(({ verdict }) => verdict)).toEqual(verdicts);
    expect(operation?.attempts).toHaveLength(told.tries);
    if (told.summary !== undefined) expect(operation?.steps[place]?.summary).toContain(told.summary);
    for (const { step, summary, facts } of operation?.steps ?? []) {
      if (told.words?.[step] !== undefined) expect(summary).toContain(told.words[step]);
      expect(facts).toMatchObject(told.facts?.[step] ?? {});
    }
  });

  test("the tries of a failover are told one by one", async () => {
    const { operations } = await explained("a failover");
    expect(operations[0]?.attempts.map(({ attempt, target, status }) => [attempt, target, status])).toEqual([
      [1, "bad", 503],
      [2, "good", 200],
    ]);
  });
});
