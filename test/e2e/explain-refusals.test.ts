import { afterAll, beforeAll, expect, test } from "vitest";
import type { ExplainedStep } from "../../src/analytics/explanation.ts";
import { explainedSteps, explanationSchema } from "../../src/analytics/explanation.ts";
import type { PublishedServer } from "../gateway/mcp/published-server.ts";
import { messageOf, publishServer, textResult, toolCall } from "../gateway/mcp/published-server.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";

/** What is asked, of an API with these members, and where the story of it ends. */
interface Refused {
  readonly spec?: object;
  readonly body?: unknown;
  readonly key?: null;
  /** How often it is asked: the last time counts. */
  readonly times?: number;
  readonly at: ExplainedStep;
  readonly words: string;
  readonly tries?: number;
}

const word = (pattern: string) => ({ use: "regex", with: { patterns: [{ pattern, action: "deny" }] } });
const once = { use: "rate-limit", with: { requests: 1, windowMs: 2_000_000_000 } };
const elsewhere = { use: "ip-filter", with: { allow: ["203.0.113.0/24"] } };
const small = { requestBytes: 1_024 };
const long = "word ".repeat(500);

const asking = (content: string, more: object = {}) => ({ model: "m", messages: [{ role: "user", content }], ...more });

/** Of chats; the model says `forbidden` where it is asked to, and fails where it is asked to. */
const ofChats: Readonly<Record<string, Refused>> = {
  "no key": { key: null, at: "identify", words: "auth.missing_credentials" },
  "no JSON": { body: "{", at: "decode", words: "request.malformed_json" },
  "no model": { body: { messages: [] }, at: "decode", words: "request.invalid" },
  "too large a body": { spec: { limits: small }, body: asking(long), at: "decode", words: "request.too_large" },
  "an address elsewhere": { spec: { policies: [elsewhere] }, at: "admit", words: "by ip-filter with auth.forbidden" },
  "too many requests": {
    spec: { policies: [once] },
    times: 2,
    at: "admit",
    words: "by rate-limit with limit.exceeded",
  },
  "a model that is not permitted": {
    spec: { policies: [{ use: "model-access", with: { allow: ["other"] } }] },
    at: "admit",
    words: "by model-access with auth.forbidden",
  },
  "too many tokens": {
    spec: { policies: [{ use: "token-limit", with: { tokens: 5, window: "minute" } }] },
    body: asking(long),
    at: "admit",
    words: "by token-limit with limit.budget",
  },
  "a word in the prompt": {
    spec: { policies: [word("never")] },
    body: asking("never"),
    at: "request",
    words: "by regex with guardrail.denied",
  },
  "a word in the answer": {
    spec: { policies: [word("forbidden")] },
    body: asking("say it"),
    at: "response",
    words: "by regex with guardrail.denied",
    tries: 1,
  },
  "a word in a stream": {
    spec: { policies: [word("forbidden")] },
    body: asking("say it", { stream: true }),
    at: "response",
    words: "by regex with guardrail.denied",
    tries: 1,
  },
  "a model that fails": { body: asking("fail"), at: "call", words: "upstream", tries: 1 },
  "a model that is away": { body: asking("leave"), at: "call", words: "upstream.reset", tries: 1 },
};

const saying = (text: string) => toolCall("legacy", 1, "say", { text });

/** Of MCP messages; the tool says what it is told to say. */
const ofMessages: Readonly<Record<string, Refused>> = {
  "no key": { key: null, at: "identify", words: "auth.missing_credentials" },
  "no JSON": { body: "{", at: "decode", words: "request.malformed_json" },
  "too large a body": { spec: { limits: small }, body: saying(long), at: "decode", words: "request.too_large" },
  "an address elsewhere": { spec: { policies: [elsewhere] }, at: "admit", words: "by ip-filter with auth.forbidden" },
  "too many requests": {
    spec: { policies: [once] },
    times: 2,
    at: "admit",
    words: "by rate-limit with limit.exceeded",
  },
  "a word in an argument": {
    spec: { policies: [word("never")] },
    body: saying("never"),
    at: "request",
    words: "by regex with guardrail.denied",
  },
  "a word in a result": {
    spec: { policies: [word("forbidden")] },
    body: saying("say it"),
    at: "response",
    words: "by regex with guardrail.denied",
    tries: 1,
  },
  "a server that fails": { body: saying("fail"), at: "call", words: "upstream", tries: 1 },
  "a server that is away": { body: saying("leave"), at: "call", words: "upstream.reset", tries: 1 },
};

describeWithEngine("what is refused is told where it was, with its reason", () => {
  let gatehouse: TestGatehouse;
  let upstream: MockUpstream;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    upstream = await startMockUpstream(async (request, response) => {
      const text = request.body.toString();
      const isMcp = request.url === "/mcp";
      if (text.includes("leave")) return void response.destroy();
      if (text.includes("fail")) return json(500, { error: { message: "no" } })(request, response);
      const answer = text.includes("say it") ? "It is forbidden." : "Hello.";
      if (isMcp) return json(200, textResult(messageOf(request).id, answer))(request, response);
      if (!text.includes('"stream":true')) return chatAnswer(answer)(request, response);
      return events([chunk({ content: answer }), chunk({}, { finish: "stop" }), done])(request, response);
    });
    gatehouse = await startTestGatehouse({ "analytics.mode": "embedded" });
    for (const [place, [name, refused]] of Object.entries(ofChats).entries()) {
      const api = await gatehouse.llm(`chat-${place}`, `${upstream.url}/v1`, refused.spec);
      for (let time = refused.times ?? 1; time > 0; time -= 1) ids[`chat: ${name}`] = await chat(api, refused);
    }
    for (const [place, [name, refused]] of Object.entries(ofMessages).entries()) {
      const server = await publishServer(gatehouse, `notes-${place}`, `${upstream.url}/mcp`, { ...refused.spec });
      for (let time = refused.times ?? 1; time > 0; time -= 1) ids[`message: ${name}`] = await call(server, refused);
    }
    await gatehouse.running.spool.flush();
    await gatehouse.running.analytics.catchUp();
  }, 180_000);
  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  test.each([
    ...Object.entries(ofChats).map(([name, refused]) => [`chat: ${name}`, refused] as const),
    ...Object.entries(ofMessages).map(([name, refused]) => [`message: ${name}`, refused] as const),
  ])("%s", async (name, { at, words, tries = 0 }) => {
    const { controlUrl, adminToken } = gatehouse.running;
    const answer = await fetch(`${controlUrl}/api/v1/analytics/exchanges/${ids[name]}/explain`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    const { operations, config } = explanationSchema.parse(await answer.json());
    const [operation] = operations;
    const ended = operation?.steps.filter(({ verdict }) => verdict === "denied" || verdict === "failed");
    expect(ended?.map(({ step }) => step)).toEqual([at]);
    expect(ended?.[0]?.summary).toContain(words);
    const before = operation?.steps.slice(0, explainedSteps.indexOf(at));
    expect(before?.every(({ verdict }) => verdict === "passed")).toBe(true);
    expect([operation?.attempts.length, config.isKept]).toEqual([tries, true]);
  });
});

async function chat({ url, key }: TestApi, { body = asking("Hi"), key: own }: Refused): Promise<string> {
  const headers = { "content-type": "application/json", ...(own !== null && { authorization: `Bearer ${key}` }) };
  const bytes = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await rawHttp(`${url}/chat/completions`, { headers, body: bytes });
  return String(answer.headers["x-request-id"]);
}

async function call(server: PublishedServer, { body = saying("Hi"), key }: Refused): Promise<string> {
  const bytes = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await server.post(bytes, key === null ? { key } : {});
  return String(answer.headers["x-request-id"]);
}
