// long: one gateway serves every promise of the cache, and another start of it would cost more than the lines
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream, usageChunk } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const apis = new Map<string, TestApi>();

const pii = { use: "pii", with: { action: "mask", answers: { action: "redact" } } };
const attached = {
  own: [{ use: "semantic-cache" }],
  shared: [{ use: "semantic-cache", with: { scope: "shared" } }],
  application: [{ use: "semantic-cache", with: { scope: "application" } }],
  exact: [{ use: "semantic-cache", with: { match: "exact" } }],
  small: [{ use: "semantic-cache", with: { maxAnswerBytes: 100 } }],
  tools: [{ use: "semantic-cache", with: { toolCalls: true } }],
  monitor: [{ use: "semantic-cache", mode: "monitor" }],
  masked: [{ use: "semantic-cache" }, pii],
  guarded: [
    { use: "semantic-cache" },
    { use: "regex", with: { patterns: [{ pattern: "forbidden" }], phases: ["request"] } },
  ],
  headers: [{ use: "semantic-cache", with: { headers: ["x-tenant"] } }],
} as const;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  for (const [name, policies] of Object.entries(attached)) {
    apis.set(name, await gatehouse.llm(name, `${upstream.url}/v1`, { policies: [...policies] }));
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

let answers = 0;
const numbered: Respond = (request, response) => {
  answers += 1;
  return chatAnswer(`answer ${answers}`)(request, response);
};

beforeEach(() => upstream.respond(numbered));

function apiOf(name: keyof typeof attached): TestApi {
  const api = apis.get(name);
  if (api === undefined) throw new Error(`no API ${name}`);
  return api;
}

interface Asked {
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

async function post(name: keyof typeof attached, body: object, { key, headers, path }: Asked = {}) {
  const api = apiOf(name);
  const before = upstream.seen.length;
  const answer = await fetch(`${api.url}/${path ?? "chat/completions"}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key ?? api.key}`, ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    cache: answer.headers.get("x-gatehouse-cache"),
    called: upstream.seen.length - before,
  };
}

const ask = (name: keyof typeof attached, question: string, more: object = {}, asked: Asked = {}) =>
  post(name, { model: "gpt-test", messages: [{ role: "user", content: question }], ...more }, asked);

describe("an unmodified client", () => {
  test("gets the same answer to the same question, and no model reads it again", async () => {
    const { url, key } = apiOf("own");
    const client = new OpenAI({ apiKey: key, baseURL: url, maxRetries: 0 });
    const before = upstream.seen.length;
    const request = { model: "gpt-test", messages: [{ role: "user" as const, content: "Who wrote Faust?" }] };
    const first = await client.chat.completions.create(request).withResponse();
    const second = await client.chat.completions.create(request).withResponse();
    expect(upstream.seen.length - before).toBe(1);
    expect(second.data).toEqual(first.data);
    expect(first.response.headers.get("x-gatehouse-cache")).toBe("miss");
    expect(second.response.headers.get("x-gatehouse-cache")).toBe("hit");
    expect(second.response.headers.get("age")).toBe("0");
    expect(second.request_id).not.toBe(first.request_id);
  });

  test("gets a streamed answer as a stream again", async () => {
    upstream.respond(
      events([
        chunk({ role: "assistant", content: "Goe" }),
        chunk({ content: "the" }),
        chunk({}, { finish: "stop" }),
        usageChunk({ prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }),
        done,
      ]),
    );
    const { url, key } = apiOf("own");
    const client = new OpenAI({ apiKey: key, baseURL: url, maxRetries: 0 });
    const before = upstream.seen.length;
    const ask = async () => {
      const { data, response } = await client.chat.completions
        .create({ model: "gpt-test", stream: true, messages: [{ role: "user", content: "Who wrote Egmont?" }] })
        .withResponse();
      const pieces = await Array.fromAsync(data);
      return { pieces, cache: response.headers.get("x-gatehouse-cache"), type: response.headers.get("content-type") };
    };
    const first = await ask();
    const second = await ask();
    expect(first.cache).toBe("miss");
    expect(second).toEqual({ ...first, cache: "hit" });
    expect(second.pieces.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe("Goethe");
    expect(upstream.seen.length - before).toBe(1);
  });
});

describe("what is asked again", () => {
  test.each([
    ["in other words", "How do I reset my password?", "How can I reset my password?", {}],
    ["in other case and punctuation", "What is the tallest mountain?", "what is the tallest mountain", {}],
    ["for another user of the same caller", "Name a river.", "Name a river.", { user: "u2", metadata: { a: "b" } }],
  ])("is answered from before %s", async (_name, first, second, more) => {
    const before = await ask("own", first);
    const after = await ask("own", second, more);
    expect(before.cache).toBe("miss");
    expect(after).toMatchObject({ cache: "hit", called: 0, text: before.text });
  });

  test.each([
    ["about something else", "Where is the capital of France?", "Where is the capital of Spain?", {}],
    ["with another number", "What happened in the year 1923?", "What happened in the year 1924?", {}],
    ["with its words in another order", "Convert dollars to euros", "Convert euros to dollars", {}],
    ["with a negation", "Is it safe to mix bleach?", "Is it not safe to mix bleach?", {}],
    ["with another sign", "Is a > b?", "Is a < b?", {}],
    ["in a script that the model does not see", "Explain Москва to me", "Explain Париж to me", {}],
    ["of another model", "Name a lake.", "Name a lake.", { model: "gpt-other" }],
    ["with another temperature", "Name a sea.", "Name a sea.", { temperature: 0.5 }],
    [
      "with tools",
      "Name a hill.",
      "Name a hill.",
      { tools: [{ type: "function", function: { name: "a", parameters: { type: "object" } } }] },
    ],
    ["with an unknown parameter", "Name a bay.", "Name a bay.", { brand_new: 1 }],
    ["as a stream", "Name a pond.", "Name a pond.", { stream: true }],
  ])("goes up %s", async (_name, first, second, more) => {
    await ask("own", first);
    expect(await ask("own", second, more)).toMatchObject({ cache: "miss", called: 1 });
  });

  test("goes up when one word of a long text says something else", async () => {
    const text = (city: string): string =>
      `I work as a teacher and my students are between ten and twelve years old, all of them curious. We are planning a trip ` +
      `with two classes next spring. Which museums and restaurants in ${city} would you recommend for children who love ` +
      `science? We would like to stay for about a week and to travel by train where that is possible.`;
    await ask("own", text("Paris"));
    expect(await ask("own", text("Berlin"))).toMatchObject({ cache: "miss", called: 1 });
  });

  test("goes up with another system prompt, and with another turn of the assistant's", async () => {
    const talk = (system: string, said: string) => ({
      model: "gpt-test",
      messages: [
        { role: "system", content: system },
        { role: "user", content: "Name a desert." },
        { role: "assistant", content: said },
        { role: "user", content: "And another?" },
      ],
    });
    await post("own", talk("Be kind.", "Sahara"));
    expect(await post("own", talk("Be rude.", "Sahara"))).toMatchObject({ cache: "miss" });
    expect(await post("own", talk("Be kind.", "Gobi"))).toMatchObject({ cache: "miss" });
    expect(await post("own", talk("Be kind.", "Sahara"))).toMatchObject({ cache: "hit" });
  });

  test("is compared turn by turn", async () => {
    const talk = (first: string, second: string) => ({
      model: "gpt-test",
      messages: [
        { role: "user", content: first },
        { role: "assistant", content: "It is this." },
        { role: "user", content: [{ type: "text", text: second }] },
      ],
    });
    const before = await post("own", talk("How do I renew my passport?", "How do I get there?"));
    const like = await post("own", talk("How can I renew my passport?", "how do I get there"));
    expect(like).toMatchObject({ cache: "hit", text: before.text });
    const other = await post("own", talk("How do I renew my licence?", "How do I get there?"));
    expect(other).toMatchObject({ cache: "miss" });
  });

  test("goes up in other words where only equal requests count", async () => {
    await ask("exact", "How do I reset my password?");
    expect(await ask("exact", "How can I reset my password?")).toMatchObject({ cache: "miss" });
    expect(await ask("exact", "How do I reset my password?")).toMatchObject({ cache: "hit" });
  });

  test("goes up where a header differs that the answer depends on", async () => {
    const tenant = (name: string): Asked => ({ headers: { "x-tenant": name } });
    await ask("headers", "Name a tree.", {}, tenant("a"));
    expect(await ask("headers", "Name a tree.", {}, tenant("b"))).toMatchObject({ cache: "miss" });
    expect(await ask("headers", "Name a tree.", {}, tenant("a"))).toMatchObject({ cache: "hit" });
  });

  test("embeddings are answered to equal requests only", async () => {
    const vector = { object: "embedding", index: 0, embedding: [0.5, 0.5] };
    upstream.respond(json(200, { object: "list", model: "e", data: [vector], usage: { prompt_tokens: 2 } }));
    const embed = (input: string) => post("own", { model: "e", input }, { path: "embeddings" });
    await embed("How do I reset my password?");
    expect(await embed("How do I reset my password?")).toMatchObject({ cache: "hit", called: 0 });
    expect(await embed("How can I reset my password?")).toMatchObject({ cache: "miss", called: 1 });
  });
});

describe("another caller", () => {
  test("never gets an answer that was given to one", async () => {
    const other = await gatehouse.key("own");
    const first = await ask("own", "What is our budget?");
    const second = await ask("own", "What is our budget?", {}, { key: other });
    expect(second).toMatchObject({ cache: "miss", called: 1 });
    expect(second.text).not.toBe(first.text);
    const test = await gatehouse.key("own", { environment: "sandbox" });
    expect(await ask("own", "What is our budget?", {}, { key: test })).toMatchObject({ cache: "miss", called: 1 });
  });

  test("of no application is not taken for another one of none", async () => {
    const other = await gatehouse.key("application");
    await ask("application", "What is our plan?");
    expect(await ask("application", "What is our plan?", {}, { key: other })).toMatchObject({ cache: "miss" });
  });

  test("gets it where the cache is shared", async () => {
    const other = await gatehouse.key("shared");
    const first = await ask("shared", "What is a budget?");
    expect(await ask("shared", "What is a budget?", {}, { key: other })).toMatchObject({
      cache: "hit",
      text: first.text,
    });
  });

  test("does not get what its upstream calls private, though the cache is shared", async () => {
    upstream.respond(json(200, choice("stop", { content: "x" }), { "cache-control": "private" }));
    await ask("shared", "Who am I?");
    expect(await ask("shared", "Who am I?")).toMatchObject({ cache: "miss" });
  });
});

const choice = (finish_reason: string, message: object) => ({
  id: "c",
  object: "chat.completion",
  created: 1,
  model: "gpt-test",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason }],
});
const call = { tool_calls: [{ id: "1", type: "function", function: { name: "get", arguments: "{}" } }], content: null };

describe("never kept", () => {
  test.each<[string, Respond, object]>([
    ["an error", json(429, { error: { message: "slow down" } }), {}],
    ["an answer that was too long", json(200, choice("length", { content: "so far" })), {}],
    ["an answer that a filter has cut", json(200, choice("content_filter", { content: "" })), {}],
    ["a call of a tool", json(200, choice("tool_calls", call)), {}],
    ["an answer that forbids it", json(200, choice("stop", { content: "x" }), { "cache-control": "no-store" }), {}],
    ["a streamed one that forbids it", streamOf({ "cache-control": "no-store" }), { stream: true }],
    ["a stream that broke off", events([chunk({ content: "so" })]), { stream: true }],
    ["a stream that told of an error", events([chunk({ content: "so" }), brokenEvent, done]), { stream: true }],
    ["a streamed call of a tool", events([chunk(call), chunk({}, { finish: "tool_calls" }), done]), { stream: true }],
    ["one of two answers", json(200, choice("stop", { content: "x" })), { n: 2 }],
  ])("%s", async (name, respond, more) => {
    upstream.respond(respond);
    await ask("own", `Never keep ${name}`, more);
    expect(await ask("own", `Never keep ${name}`, more)).toMatchObject({ cache: "miss", called: 1 });
  });

  test("an answer that is longer than what is kept", async () => {
    await ask("small", "Tell me all.");
    expect(await ask("small", "Tell me all.")).toMatchObject({ cache: "miss" });
  });

  test("calls of tools are kept by choice", async () => {
    upstream.respond(json(200, choice("tool_calls", call)));
    const first = await ask("tools", "What is the weather?");
    expect(await ask("tools", "What is the weather?")).toMatchObject({ cache: "hit", text: first.text });
  });

  test.each([false, true])("an operation whose personal data is masked (stream: %s)", async (stream) => {
    upstream.respond(stream ? streamOf({}) : chatAnswer("I wrote to [EMAIL_1]."));
    const question = "Write to ann@example.com please.";
    await ask("masked", question, { stream });
    expect(await ask("masked", question, { stream })).toMatchObject({ cache: "bypass", called: 1 });
  });

  test("an answer out of which a guardrail has taken something", async () => {
    upstream.respond(chatAnswer("Ask bob@example.com."));
    const first = await ask("masked", "Whom do I ask?");
    expect(first.text).not.toContain("bob@example.com");
    expect(await ask("masked", "Whom do I ask?")).toMatchObject({ cache: "miss", called: 1 });
  });
});

const brokenEvent = 'data: {"error":{"message":"overloaded"}}\n\n';

function streamOf(headers: Record<string, string>): Respond {
  return events([chunk({ content: "Hi" }), chunk({}, { finish: "stop" }), done], headers);
}

describe("a request", () => {
  test("is refused by a guardrail further down the list before an answer is looked for", async () => {
    await ask("guarded", "Say something allowed.");
    expect((await ask("guarded", "Say something forbidden.")).status).toBe(422);
    expect(await ask("guarded", "Say something allowed.")).toMatchObject({ cache: "hit" });
  });

  test("with no-store is neither answered from before nor kept", async () => {
    const noStore: Asked = { headers: { "cache-control": "no-store" } };
    expect(await ask("own", "Name a bird.", {}, noStore)).toMatchObject({ cache: "bypass", called: 1 });
    expect(await ask("own", "Name a bird.")).toMatchObject({ cache: "miss" });
    expect(await ask("own", "Name a bird.", {}, noStore)).toMatchObject({ cache: "bypass", called: 1 });
  });

  test.each(["no-cache", "max-age=0", "max-age=x"])("with %s gets a fresh answer, which is kept", async (control) => {
    const question = `Name a fish ${control}.`;
    await ask("own", question);
    const fresh = await ask("own", question, {}, { headers: { "cache-control": control } });
    expect(fresh).toMatchObject({ cache: "miss", called: 1 });
    expect(await ask("own", question)).toMatchObject({ cache: "hit", text: fresh.text });
  });

  test("of an endpoint without answers to keep says nothing of a cache", async () => {
    const { url, key } = apiOf("own");
    const answer = await fetch(`${url}/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(answer.headers.get("x-gatehouse-cache")).toBeNull();
  });

  test("that can be read in two ways is refused, so that nothing is kept under the wrong question", async () => {
    const { url, key } = apiOf("own");
    const answer = await fetch(`${url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: '{"model":"m","messages":[{"role":"user","content":"a"}],"messages":[{"role":"user","content":"b"}]}',
    });
    expect(answer.status).toBe(400);
  });

  test.each([
    ["a megabyte", "word ".repeat(200_000)],
    ["nothing", ""],
    ["space", "   "],
  ])("of %s is answered from before where it is equal", async (_name, content) => {
    const first = await ask("own", content);
    expect(first).toMatchObject({ status: 200, cache: "miss" });
    expect(await ask("own", content)).toMatchObject({ cache: "hit", text: first.text });
  });

  test("is only looked at in monitor mode", async () => {
    await ask("monitor", "Name a flower.");
    const second = await ask("monitor", "Name a flower.");
    expect(second).toMatchObject({ cache: null, called: 1 });
    const rows = (await gatehouse.events()).filter((event) => event.type === "exchange");
    expect(rows.at(-1)).toMatchObject({ fields: { cache: "hit", cache_mode: "monitor" }, input_tokens: 7 });
  });
});

test("a hit costs nothing, and its row says so", async () => {
  await ask("own", "How do I renew my licence?");
  await ask("own", "How can I renew my licence?");
  const rows = (await gatehouse.events()).filter((event) => event.type === "exchange");
  expect(rows.at(-1)).toMatchObject({
    outcome: "ok",
    input_tokens: 0,
    output_tokens: 0,
    attempts: 0,
    upstream_ms: null,
    fields: { cache: "hit", cache_saved_tokens: 10, cache_score: expect.closeTo(0.97, 1) },
  });
  expect(rows.at(-2)).toMatchObject({ input_tokens: 7, attempts: 1, fields: { cache: "miss" } });
});

test("republishing the API keeps what is kept", async () => {
  const first = await ask("exact", "What stays?");
  await gatehouse.llm("exact", `${upstream.url}/v1`, { policies: [...attached.exact], description: "again" });
  expect(await ask("exact", "What stays?")).toMatchObject({ cache: "hit", text: first.text });
});
