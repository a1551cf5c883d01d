import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

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

const secret = "tiger-7";

interface Endpoint {
  readonly name: string;
  readonly path: string;
  readonly request: (text: string) => object;
  readonly answer: (text: string) => Respond;
  /** The text that the client reads. */
  readonly read: (text: string) => string;
}

const readChunks = (text: string): string =>
  text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map(
      (event) =>
        (JSON.parse(event.slice(6)) as { choices?: { delta: { content?: string } }[] }).choices?.[0]?.delta.content ??
        "",
    )
    .join("");

const endpoints: readonly Endpoint[] = [
  {
    name: "a whole chat completion",
    path: "chat/completions",
    request: (text) => ({ model: "m", messages: [{ role: "user", content: `say ${text} now` }] }),
    answer: (text) => chatAnswer(`I said ${text} then`),
    read: (text) =>
      (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? "",
  },
  {
    name: "a streamed chat completion",
    path: "chat/completions",
    request: (text) => ({
      model: "m",
      stream: true,
      messages: [{ role: "user", content: [{ type: "text", text: `say ${text}` }] }],
    }),
    // Letter by letter, so that no chunk holds what is looked for.
    answer: (text) =>
      events([
        ...Array.from(`I said ${text} then`, (letter) => chunk({ content: letter })),
        chunk({}, { finish: "stop" }),
        done,
      ]),
    read: readChunks,
  },
  {
    name: "embeddings",
    path: "embeddings",
    request: (text) => ({ model: "m", input: ["other", `say ${text}`] }),
    answer: () => json(200, { object: "list", data: [{ object: "embedding", index: 0, embedding: [0.5] }] }),
    read: (text) => text,
  },
];

const phases = ["request", "response"] as const;
const actions = ["deny", "redact"] as const;
const modes = ["enforce", "monitor"] as const;

const matrix = endpoints.flatMap((endpoint) =>
  phases.flatMap((phase) =>
    actions.flatMap(
      (action) =>
        modes
          .map((mode) => ({ endpoint, phase, action, mode }))
          .filter(() => endpoint.path !== "embeddings" || phase === "request"), // an answer of numbers holds no text
    ),
  ),
);

let made = 0;

async function apiWith(policies: readonly object[]) {
  made += 1;
  return gatehouse.llm(`api-${made}`, `${upstream.url}/v1`, { policies: policies as never }); // the schema checks it
}

async function ask(
  api: { url: string; key: string },
  path: string,
  body: object,
  headers: Record<string, string> = {},
) {
  const all = { "content-type": "application/json", authorization: `Bearer ${api.key}`, ...headers };
  return rawHttp(`${api.url}/${path}`, { headers: all, body: JSON.stringify(body) });
}

describe("a regex guardrail", () => {
  test.each(
    matrix.map((row) => ({
      ...row,
      name: `${row.mode}s to ${row.action} in the ${row.phase} of ${row.endpoint.name}`,
    })),
  )("$name", async ({ endpoint, phase, action, mode }) => {
    const patterns = [{ pattern: "tiger-[0-9]", action, replacement: "[cat]" }];
    const api = await apiWith([
      { use: "regex", with: { patterns, phases: [phase], window: { size: 16, overlap: 8 } }, mode },
    ]);
    const text = { request: phase === "request" ? secret : "lion", response: phase === "response" ? secret : "lion" };
    upstream.respond(endpoint.answer(text.response));
    const before = upstream.seen.length;
    const answer = await ask(api, endpoint.path, endpoint.request(text.request));
    const sent = upstream.seen[before]?.body.toString("utf8");

    const isDenied = mode === "enforce" && action === "deny";
    if (isDenied && phase === "request") expect(sent).toBeUndefined();
    else if (phase === "request") expect(sent).toContain(mode === "enforce" ? "say [cat]" : `say ${secret}`);
    if (isDenied) {
      expect(answer.text).not.toContain(secret);
      expect(answer.text).toContain('"code":"guardrail_blocked"');
      expect(answer.status).toBe(answer.text.startsWith("{") ? 422 : 200); // 200 where a stream had begun
    } else {
      expect(answer.status).toBe(200);
      if (phase === "response")
        expect(endpoint.read(answer.text)).toBe(`I said ${mode === "enforce" ? "[cat]" : secret} then`);
    }
    const row = (await gatehouse.events()).find(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(row).toMatchObject({
      outcome: isDenied ? "denied" : "ok",
      decisions: [{ policy: "regex", step: phase, action: action === "deny" ? "deny" : "rewrite", mode }],
    });
    expect(JSON.stringify(row)).not.toContain(secret);
  });

  test("cannot be got past by a text that is written twice, which without one is the upstream's to judge", async () => {
    const twice = `{"model":"m","messages":[{"role":"user","content":"${secret}","content":"harmless"}]}`;
    const send = (api: { url: string; key: string }) => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
      return rawHttp(`${api.url}/chat/completions`, { headers, body: twice });
    };
    const guarded = await send(await apiWith([{ use: "regex", with: { patterns: [{ pattern: secret }] } }]));
    expect([guarded.status, guarded.json()]).toMatchObject([400, { error: { code: "request_invalid" } }]);
    upstream.respond(chatAnswer("Hello."));
    expect((await send(await apiWith([]))).status).toBe(200);
    expect(upstream.seen.at(-1)?.body.toString("utf8")).toBe(twice);
  });

  test("redacts an answer that comes as a stream although none was asked for", async () => {
    const api = await apiWith([
      { use: "regex", with: { patterns: [{ pattern: secret, action: "redact", replacement: "[cat]" }] } },
    ]);
    upstream.respond(events([chunk({ content: `a ${secret}` }), chunk({}, { finish: "stop" }), done]));
    const answer = await ask(api, "chat/completions", { model: "m" });
    expect(answer.text).not.toContain(secret);
    expect(readChunks(answer.text)).toBe("a [cat]");
  });
});

describe("where it holds", () => {
  const denyAll = { use: "regex", with: { patterns: [{ pattern: "." }], phases: ["request"] } };
  const body = (model: string) => ({ model, messages: [{ role: "user", content: "x" }] });

  test.each([
    ["a model named by `on`", { on: ["gpt-*"] }, "gpt-4", 422],
    ["no other model", { on: ["gpt-*"] }, "claude", 200],
    ["a kind named by `on`", { on: ["chat"] }, "claude", 422],
    ["a `when` that is true", { when: 'request.headers["x-risk"] == "high"' }, "m", 422],
    ["no `when` that is false", { when: 'request.headers["x-risk"] == "low"' }, "m", 200],
    ["a `when` that cannot be evaluated", { when: 'request.headers["x-none"] == "low"' }, "m", 422],
  ])("%s", async (_name, attachment, model, status) => {
    const api = await apiWith([{ ...denyAll, ...attachment }]);
    upstream.respond(chatAnswer("Hello."));
    expect((await ask(api, "chat/completions", body(model), { "x-risk": "high" })).status).toBe(status);
  });
});
