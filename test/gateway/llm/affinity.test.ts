import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let a: MockUpstream;
let b: MockUpstream;
let api: TestApi;
let otherKey: string;

const sandbox = { sameAs: "production" as const };

beforeAll(async () => {
  a = await startMockUpstream();
  b = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  for (const [name, { url }] of Object.entries({ a, b })) {
    await gatehouse.put("LlmProvider", name, { use: "openai", with: { baseUrl: `${url}/v1` } });
  }
  const targets = [{ provider: "a" }, { provider: "b" }];
  const production = { targets, strategy: { use: "round-robin" }, breaker: { failures: 0 }, maxAttempts: 2 };
  api = await gatehouse.llm("chat", `${a.url}/v1`, { upstream: { production, sandbox } });
  otherKey = await gatehouse.key("chat");
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});

let made = 0;

/** A response as OpenAI's API answers with it. */
function response(more: object = {}): { readonly respond: Respond; readonly id: string } {
  made += 1;
  const id = `resp_${made}`;
  const output = [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello." }] }];
  return { id, respond: json(200, { id, object: "response", status: "completed", output, ...more }) };
}

beforeEach(() => {
  for (const upstream of [a, b]) upstream.respond((request, answer) => void response().respond(request, answer));
});

async function ask(path: string, body?: object, { key = api.key, method = "POST", url = api.url } = {}) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  const answer = await rawHttp(`${url}/${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return { ...answer, message: answer.text.startsWith("{") ? (answer.json() as Record<string, unknown>) : {} };
}

const create = (more: object = {}, options = {}) => ask("responses", { model: "m", input: "hi", ...more }, options);

/** Which upstream got the last request of a call. */
async function seenBy(call: () => Promise<unknown>): Promise<"a" | "b" | "nobody" | "both"> {
  const before = [a.seen.length, b.seen.length];
  await call();
  const after = [a.seen.length > (before[0] ?? 0), b.seen.length > (before[1] ?? 0)];
  return after[0] ? (after[1] ? "both" : "a") : after[1] ? "b" : "nobody";
}

async function createdAt(): Promise<{ readonly id: string; readonly at: "a" | "b" }> {
  let id = "";
  const at = await seenBy(async () => {
    id = String((await create()).message["id"]);
  });
  if (at !== "a" && at !== "b") throw new Error("one of them answers");
  return { id, at };
}

describe("a response that goes on with another", () => {
  test("goes where that was made, whatever the strategy would choose", async () => {
    for (let round = 0; round < 4; round += 1) {
      const { id, at } = await createdAt();
      const next = { previous_response_id: id };
      expect([await seenBy(() => create(next)), await seenBy(() => create(next))]).toEqual([at, at]);
    }
  });

  test("is known by the first event of a stream too", async () => {
    const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
    const about = { id: "resp_streamed", object: "response", status: "in_progress", output: [] };
    const stream = [
      event("response.created", { sequence_number: 0, response: about }),
      event("response.completed", { sequence_number: 1, response: { ...about, status: "completed" } }),
    ];
    for (const upstream of [a, b]) upstream.respond(events(stream));
    const at = await seenBy(() => create({ stream: true }));
    for (const upstream of [a, b]) upstream.respond(response().respond);
    for (let round = 0; round < 3; round += 1)
      expect(await seenBy(() => create({ previous_response_id: "resp_streamed" }))).toBe(at);
  });

  test("is not begun anew elsewhere when that target fails", async () => {
    const { id, at } = await createdAt();
    (at === "a" ? a : b).respond(json(503, {}));
    let status = 0;
    expect(await seenBy(async () => ({ status } = await create({ previous_response_id: id })))).toBe(at);
    expect(status).toBe(503);
  });

  test("of another caller is not there", async () => {
    const { id } = await createdAt();
    let answer = {};
    const seen = await seenBy(async () => {
      answer = await create({ previous_response_id: id }, { key: otherKey });
    });
    expect(seen).toBe("nobody");
    expect(answer).toMatchObject({ status: 404, message: { error: { param: "previous_response_id" } } });
  });

  test("that nobody remembers goes to a provider that keeps responses", async () => {
    const targets = [{ provider: "plain" }, { provider: "a" }];
    const own = await gatehouse.llm("plain", `${b.url}/v1`);
    const upstream = { production: { targets, strategy: { use: "failover" } }, sandbox };
    await gatehouse.put("LlmApi", "plain", { context: "/plain", upstream });
    expect(await seenBy(() => create({ previous_response_id: "resp_from_before" }, own))).toBe("a");
  });

  test("is refused by name where no provider keeps any", async () => {
    const own = await gatehouse.llm("stateless", `${b.url}/v1`);
    const answer = await create({ previous_response_id: "resp_1" }, own);
    expect([answer.status, answer.message]).toMatchObject([400, { error: { param: "previous_response_id" } }]);
  });
});

test("encrypted reasoning goes back to the account that encrypted it", async () => {
  const item = { type: "reasoning", id: "rs_1", encrypted_content: "gAAAAB-sealed", summary: [] };
  for (const upstream of [a, b]) upstream.respond(response({ output: [item] }).respond);
  const at = await seenBy(() => create({ store: false, include: ["reasoning.encrypted_content"] }));
  const replay = { store: false, input: [{ role: "user", content: "hi" }, item, { role: "user", content: "go on" }] };
  const seen = [
    await seenBy(() => create(replay)),
    await seenBy(() => create(replay)),
    await seenBy(() => create(replay)),
  ];
  expect(seen).toEqual([at, at, at]);
});

test("requests with one prompt cache key keep to one target, until that fails", async () => {
  for (const upstream of [a, b]) upstream.respond(chatAnswer("cached"));
  const say = () => ask("chat/completions", { model: "m", messages: [], prompt_cache_key: "tenant-7" });
  const at = await seenBy(say);
  expect([await seenBy(say), await seenBy(say)]).toEqual([at, at]);
  (at === "a" ? a : b).respond(json(503, {}));
  expect(await seenBy(say)).toBe("both");
  (at === "a" ? a : b).respond(chatAnswer("back"));
  const elsewhere = at === "a" ? "b" : "a";
  expect([await seenBy(say), await seenBy(say)]).toEqual([elsewhere, elsewhere]);
});

describe("a stored response", () => {
  const calls = [
    { name: "is retrieved", method: "GET", below: "", query: "?include[]=file_search_call.results&apikey=KEY" },
    { name: "is cancelled", method: "POST", below: "/cancel", query: "" },
    { name: "shows its input items", method: "GET", below: "/input_items", query: "?limit=5&after=i_1" },
    { name: "is deleted", method: "DELETE", below: "", query: "" },
  ];

  test.each(calls)("$name at the target that made it, and nowhere else", async ({ method, below, query }) => {
    for (let round = 0; round < 2; round += 1) {
      const { id, at } = await createdAt();
      const owner = at === "a" ? a : b;
      owner.respond(json(200, { id, object: "response", output: [] }));
      expect(await seenBy(() => ask(`responses/${id}${below}${query}`, undefined, { method }))).toBe(at);
      const seen = owner.seen.at(-1);
      expect([seen?.method, seen?.url.split("?")[0]]).toEqual([method, `/v1/responses/${id}${below}`]);
      expect([seen?.url.includes("KEY"), seen?.url.includes("limit=5")]).toEqual([false, query.includes("limit=5")]);
      owner.respond(response().respond);
    }
  });

  test.each(calls)("$name by its own caller only: 404 for another, and for one that nobody made", async (call) => {
    const { id } = await createdAt();
    const other = { method: call.method, key: otherKey };
    const seen = await seenBy(async () => {
      const answers = [
        await ask(`responses/${id}${call.below}`, undefined, other),
        await ask(`responses/resp_nobody${call.below}`, undefined, { method: call.method }),
      ];
      for (const answer of answers) {
        expect([answer.status, answer.message]).toMatchObject([404, { error: { type: "invalid_request_error" } }]);
      }
    });
    expect(seen).toBe("nobody");
  });

  test("is not there any more when it was deleted", async () => {
    const { id, at } = await createdAt();
    const owner = at === "a" ? a : b;
    owner.respond(json(200, { id, object: "response.deleted", deleted: true }));
    expect((await ask(`responses/${id}`, undefined, { method: "DELETE" })).status).toBe(200);
    expect(await seenBy(() => ask(`responses/${id}`, undefined, { method: "GET" }))).toBe("nobody");
  });

  test("keeps the provider's own refusals", async () => {
    const { id, at } = await createdAt();
    (at === "a" ? a : b).respond(json(400, { error: { message: "Cannot cancel a completed response." } }));
    const answer = await ask(`responses/${id}/cancel`, undefined, {});
    expect([answer.status, answer.text]).toMatchObject([400, expect.stringContaining("Cannot cancel")]);
  });

  test("is not paid for again when it is looked at", async () => {
    const { id, at } = await createdAt();
    const usage = { input_tokens: 5, output_tokens: 7, total_tokens: 12 };
    (at === "a" ? a : b).respond(json(200, { id, object: "response", output: [], usage }));
    await ask(`responses/${id}`, undefined, { method: "GET" });
    const rows = (await gatehouse.events()).filter((event) => event.type === "exchange");
    expect(rows.at(-1)).toMatchObject({ operation_kind: "response", operation_name: "m", input_tokens: null });
  });

  test.each(["resp%2F..%2Fmodels", "..", "resp_1%3Fx"])("of an id that is none is 404: %s", async (id) => {
    const seen = await seenBy(async () => {
      expect((await ask(`responses/${id}`, undefined, { method: "GET" })).status).toBeGreaterThanOrEqual(400);
    });
    expect(seen).toBe("nobody");
  });
});
