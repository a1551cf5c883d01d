import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ExchangeEvent } from "../../../src/pipeline/event.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, SeenRequest } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, json, startMockUpstream } from "../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
const apis = new Map<string, TestApi>();

// So many wait, and the next one goes up: when it is seen there, all of them do wait.
const many = 49;
const one = { waiters: 1, deadlineMs: 60_000 };
const attached = {
  many: { coalesce: { waiters: many, deadlineMs: 60_000 } },
  one: { coalesce: one },
  shared: { scope: "shared", coalesce: one },
  off: {},
} as const;
type Name = keyof typeof attached;

interface Held {
  readonly request: SeenRequest;
  readonly response: ServerResponse;
}
let held: Held[] = [];

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  for (const [name, config] of Object.entries(attached)) {
    const policies = [{ use: "semantic-cache", with: config }];
    apis.set(name, await gatehouse.llm(name, `${upstream.url}/v1`, { policies }));
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

beforeEach(() => {
  held = [];
  upstream.respond((request, response) => void held.push({ request, response }));
});

function ask(
  name: Name,
  question: string,
  more: object = {},
  { key, signal }: { key?: string; signal?: AbortSignal } = {},
) {
  const api = apis.get(name);
  const body = { model: "m", messages: [{ role: "user", content: question }], ...more };
  const headers = { "content-type": "application/json", authorization: `Bearer ${key ?? api?.key}` };
  const asked = fetch(`${api?.url}/chat/completions`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  return asked.then(async (answer) => ({
    status: answer.status,
    cache: answer.headers.get("x-gatehouse-cache"),
    id: answer.headers.get("x-request-id"),
    text: await answer.text(),
  }));
}

const reached = (count: number) =>
  eventually(`${count} requests are at the upstream`, () => held.length === count, 20_000);

function heldAt(place: number): Held {
  const found = held[place];
  if (found === undefined) throw new Error(`no request ${place} is held`);
  return found;
}

async function answerWith(place: number, respond: ReturnType<typeof chatAnswer>): Promise<void> {
  const { request, response } = heldAt(place);
  await respond(request, response);
}

/** A leader, one who waits for it, and one more, which shows that the other waits. */
async function threeAsk(name: Name, question: string, more: object = {}, signal?: AbortSignal) {
  const leader = ask(name, question, more, signal && { signal });
  await reached(1);
  const others = [ask(name, question, more), ask(name, question, more)];
  await reached(2);
  return { leader, others };
}

describe("equal requests that come at once", () => {
  test("wait for one answer, as many as may wait", async () => {
    const leader = ask("many", "How many?");
    await reached(1);
    const others = Array.from({ length: many + 1 }, () => ask("many", "How many?"));
    await reached(2);
    await answerWith(0, chatAnswer("of the first"));
    await leader;
    await answerWith(1, chatAnswer("of one more"));
    const all = await Promise.all(others);
    const shared = all.filter(({ text }) => text.includes("of the first"));
    expect([shared.length, upstream.seen.length]).toEqual([many, 2]);
    expect(new Set(shared.map(({ cache }) => cache))).toEqual(new Set(["hit"]));
    expect(await leader).toMatchObject({ cache: "miss", status: 200 });
    let rows: ExchangeEvent[] = [];
    const because = (reason: string) => rows.filter(({ fields }) => fields["cache_reason"] === reason);
    await eventually("all rows are written", async () => {
      rows = (await gatehouse.events()).flatMap((event) =>
        event.type === "exchange" && event.api_name === "many" ? [event] : [],
      );
      return rows.length === many + 2;
    });
    const coalesced = because("coalesced");
    expect([coalesced.length, because("crowded").length]).toEqual([many, 1]);
    for (const { fields, input_tokens, output_tokens } of coalesced)
      expect([fields["cache"], fields["cache_saved_tokens"], input_tokens, output_tokens]).toEqual(["hit", 10, 0, 0]);
  });

  test("get a stream whole, when the first has it all", async () => {
    const { leader, others } = await threeAsk("one", "Stream?", { stream: true });
    const { response } = heldAt(0);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ role: "assistant", content: "of the " }));
    response.end(`${chunk({ content: "first" })}${chunk({}, { finish: "stop" })}${done}`);
    const first = await leader;
    const followed = await Promise.race(others);
    expect([first.cache, followed.cache]).toEqual(["miss", "hit"]);
    expect(followed.text).toBe(first.text);
    await answerWith(1, chatAnswer("own"));
    await Promise.all(others);
  });

  test("ask each for themselves where nothing is said", async () => {
    const all = [ask("off", "Off?"), ask("off", "Off?"), ask("off", "Off?")];
    await reached(3);
    for (const place of held.keys()) await answerWith(place, chatAnswer("own"));
    expect((await Promise.all(all)).map(({ cache }) => cache)).toEqual(["miss", "miss", "miss"]);
  });

  test("ask for themselves who want a fresh answer", async () => {
    const leader = ask("one", "Fresh?");
    await reached(1);
    const api = apis.get("one");
    const fresh = fetch(`${api?.url}/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${api?.key}`,
        "cache-control": "no-cache",
      },
      body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "Fresh?" }] }),
    });
    await reached(2);
    await Promise.all([answerWith(0, chatAnswer("a")), answerWith(1, chatAnswer("b"))]);
    expect([(await leader).cache, (await fresh).headers.get("x-gatehouse-cache")]).toEqual(["miss", "miss"]);
  });
});

describe("who waits goes up by themselves", () => {
  test("when the first leaves", async () => {
    const leaves = new AbortController();
    const { leader, others } = await threeAsk("one", "Left?", {}, leaves.signal);
    leaves.abort();
    await expect(leader).rejects.toThrow(/abort/i);
    await reached(3);
    await Promise.all([answerWith(1, chatAnswer("own")), answerWith(2, chatAnswer("own"))]);
    expect((await Promise.all(others)).map(({ status, cache }) => [status, cache])).toEqual([
      [200, "miss"],
      [200, "miss"],
    ]);
  });

  test.each([
    { name: "an error", respond: json(400, { error: { message: "no" } }), status: 400 },
    {
      name: "an answer that is not finished",
      respond: json(200, {
        choices: [{ index: 0, message: { role: "assistant", content: "a" }, finish_reason: "length" }],
      }),
      status: 200,
    },
    {
      name: "an answer that is nobody's to keep",
      respond: json(200, { choices: [] }, { "cache-control": "no-store" }),
      status: 200,
    },
  ])("when the first gets $name", async ({ name, respond, status }) => {
    const { leader, others } = await threeAsk("one", `What of ${name}?`);
    await answerWith(0, respond);
    expect(await leader).toMatchObject({ status, cache: "miss" });
    await reached(3);
    await Promise.all([answerWith(1, chatAnswer("own")), answerWith(2, chatAnswer("own"))]);
    expect((await Promise.all(others)).map(({ cache }) => cache)).toEqual(["miss", "miss"]);
  });

  test("when the first stream breaks off", async () => {
    const { leader, others } = await threeAsk("one", "Broken?", { stream: true });
    const { response } = heldAt(0);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk({ content: "half" }), () => response.destroy());
    await Promise.allSettled([leader]);
    await reached(3);
    for (const place of [1, 2]) await answerWith(place, chatAnswer("own"));
    for (const { text } of await Promise.all(others)) expect(text).not.toContain("half");
  });
});

describe("other callers", () => {
  test("do not wait for an answer that they may not get", async () => {
    const first = ask("one", "Whose?");
    await reached(1);
    const second = ask("one", "Whose?", {}, { key: await gatehouse.key("one") });
    await reached(2);
    await Promise.all([answerWith(0, chatAnswer("of the first")), answerWith(1, chatAnswer("of the second"))]);
    expect((await first).text).toContain("of the first");
    expect(await second).toMatchObject({ cache: "miss", text: expect.stringContaining("of the second") });
  });

  test("wait for it where answers are shared", async () => {
    const key = await gatehouse.key("shared");
    const leader = ask("shared", "Ours?");
    await reached(1);
    const others = [ask("shared", "Ours?", {}, { key }), ask("shared", "Ours?", {}, { key })];
    await reached(2);
    await answerWith(0, chatAnswer("ours"));
    expect((await leader).text).toContain("ours");
    expect(await Promise.race(others)).toMatchObject({ cache: "hit", text: expect.stringContaining("ours") });
    await answerWith(1, chatAnswer("ours"));
    await Promise.all(others);
  });
});
