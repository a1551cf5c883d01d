// long: one API for each rule of publication, and what another application may reach, on two accounts
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../../kit/mock-upstream.ts";
import { rawHttp, rawSocket } from "../../../kit/raw-http.ts";
import type { Rows } from "./keeper.ts";
import { keeper } from "./keeper.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let other: MockUpstream;

const sandbox = { sameAs: "production" as const };
const everything = ["images", "audio", "files", "batches", "moderations", "rerank"] as const;
const regex = { use: "regex", with: { patterns: [{ pattern: "secret" }] } };

beforeAll(async () => {
  upstream = await startMockUpstream();
  other = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  for (const [name, { url }] of Object.entries({ one: upstream, two: other }))
    await gatehouse.put("LlmProvider", name, { use: "openai", with: { baseUrl: `${url}/v1` } });
  await gatehouse.put("LlmProvider", "own-wire", { use: "custom", with: { baseUrl: `${upstream.url}/own` } });
});

beforeEach(() => {
  for (const each of [upstream, other]) {
    each.forget();
    each.respond(json(200, { text: "hello" }));
  }
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const boundary = "cut-here";
const field = (name: string, value: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (content: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n${content}\r\n`;
const end = `--${boundary}--\r\n`;

async function ask(api: TestApi, path: string, { method = "POST", body = "", key = api.key, form = false } = {}) {
  const type = form ? `multipart/form-data; boundary=${boundary}` : "application/json";
  const headers = { authorization: `Bearer ${key}`, ...(body === "" ? {} : { "content-type": type }) };
  const answer = await rawHttp(`${api.url}/${path}`, { method, headers, ...(body === "" ? {} : { body }) });
  const message = answer.text.startsWith("{") ? (answer.json() as Record<string, unknown>) : {};
  const error = message["error"] as { readonly message: string; readonly param: string | null } | undefined;
  return { ...answer, message, error };
}

const transcribe = (api: TestApi, form: string, more: object = {}) =>
  ask(api, "audio/transcriptions", { body: form, form: true, ...more });

describe("what is not opened does not exist", () => {
  test("by default nothing is", async () => {
    const api = await gatehouse.llm("shut", `${upstream.url}/v1`);
    for (const path of ["images/generations", "audio/speech", "moderations", "rerank", "files", "batches"]) {
      const { status, error } = await ask(api, path, { body: '{"model":"m"}' });
      expect([path, status]).toEqual([path, 404]);
      expect(error?.message).not.toContain(`/v1/${path}`);
    }
    expect(upstream.seen).toHaveLength(0);
  });

  test("what is opened opens nothing else", async () => {
    const api = await gatehouse.llm("ajar", `${upstream.url}/v1`, { passThrough: ["moderations"] });
    expect((await ask(api, "moderations", { body: '{"input":"x"}' })).status).toBe(200);
    expect((await ask(api, "images/generations", { body: '{"model":"m"}' })).status).toBe(404);
    expect((await ask(api, "moderations", { method: "GET" })).status).toBe(405);
  });

  test("neither does a path that leads somewhere else", async () => {
    const api = await gatehouse.llm("paths", `${upstream.url}/v1`, { passThrough: [...everything] });
    const { port, pathname } = new URL(api.url);
    for (const path of [
      "files/../models",
      "files/%2e%2e/models",
      "files/a%2Fb",
      "files/a%2fcontent/content",
      "files/a;b",
      "files//content",
      "batches/a.b/cancel",
      "files/file-1/other",
    ]) {
      const request = `GET ${pathname}/${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${api.key}\r\nconnection: close\r\n\r\n`;
      expect([path, await rawSocket(Number(port), request)]).toEqual([
        path,
        expect.stringMatching(/^HTTP\/1.1 40[045]/),
      ]);
    }
    expect(upstream.seen).toHaveLength(0);
  });

  test("nobody is let in without a key", async () => {
    const api = await gatehouse.llm("keyed", `${upstream.url}/v1`, { passThrough: ["audio"] });
    expect((await transcribe(api, field("model", "m") + end, { key: "gh_none" })).status).toBe(401);
    expect(upstream.seen).toHaveLength(0);
  });
});

describe("publishing is refused", () => {
  const open = (target: string) => ({ production: { targets: [{ provider: target }] }, sandbox });
  const cases = [
    {
      name: "with a guardrail that cannot read what passes",
      spec: { passThrough: ["images"], policies: [regex] },
      why: "cannot read images",
    },
    {
      name: "with a guardrail of chats where batches run them unread",
      spec: { passThrough: ["batches"], policies: [{ ...regex, on: ["chat"] }] },
      why: "do not open batches",
    },
    {
      name: "where no provider has such endpoints",
      spec: { passThrough: ["audio"], upstream: open("own-wire") },
      why: "only OpenAI-shaped",
    },
    {
      name: "of batches where some models only are offered",
      spec: { passThrough: ["batches"], models: [{ name: "gpt-*" }] },
      why: "batches name their models",
    },
  ];
  test.each(cases)("$name", async ({ spec, why }) => {
    const api = { context: "/refused", upstream: open("one"), ...spec };
    await expect(gatehouse.put("LlmApi", "refused", api)).rejects.toMatchObject({
      issues: [expect.objectContaining({ message: expect.stringContaining(why) as string })],
    });
  });

  test("not with a guardrail that is for chats only, which then holds for those", async () => {
    const api = await gatehouse.llm("guarded", `${upstream.url}/v1`, {
      passThrough: ["images"],
      policies: [{ ...regex, on: ["chat"] }],
    });
    expect((await ask(api, "images/generations", { body: '{"model":"m","prompt":"secret"}' })).status).toBe(200);
    const chat = '{"model":"m","messages":[{"role":"user","content":"secret"}]}';
    expect((await ask(api, "chat/completions", { body: chat })).status).toBe(422);
  });
});

test("a guardrail of the caller's plan refuses what it cannot read", async () => {
  const subscribed = { passThrough: [...everything], security: { subscription: "required" as const } };
  const api = await gatehouse.llm("planned", `${upstream.url}/v1`, subscribed);
  await gatehouse.put("Plan", "guarded", { policies: [{ ...regex, on: ["images"] }] });
  await gatehouse.put("Application", "reader", {});
  await gatehouse.put("Subscription", "reader", {
    application: "reader",
    api: { kind: "LlmApi", name: "planned" },
    plan: "guarded",
  });
  const key = await gatehouse.key("planned", { application: "reader" });
  const drawn = await ask(api, "images/generations", { key, body: '{"model":"m","prompt":"x"}' });
  expect([drawn.status, drawn.error?.message]).toEqual([422, expect.stringContaining("cannot read images")]);
  expect((await ask(api, "batches", { key, body: '{"input_file_id":"file-1"}' })).error?.message).toContain(
    "Batches run",
  );
  expect((await ask(api, "moderations", { key, body: '{"input":"x"}' })).status).toBe(200);
  expect(upstream.seen).toHaveLength(1);
});

describe("where some models are offered", () => {
  let api: TestApi;
  beforeAll(async () => {
    const models = [{ name: "whisper-*" }];
    api = await gatehouse.llm("some", `${upstream.url}/v1`, { models, passThrough: ["audio", "moderations"] });
  });

  test("the others are not found, in JSON and in a form", async () => {
    expect((await ask(api, "moderations", { body: '{"model":"gpt","input":"x"}' })).status).toBe(404);
    expect((await transcribe(api, field("model", "gpt") + file("x") + end)).status).toBe(404);
    expect((await transcribe(api, file("x") + field("model", "whisper-1") + end)).status).toBe(200);
    expect(upstream.seen).toHaveLength(1);
  });

  test("a model that is not told, or stands behind a long file, is asked for", async () => {
    const long = file("x".repeat(3_000_000));
    for (const form of [file("x") + end, long + field("model", "whisper-1") + end])
      expect((await transcribe(api, form)).error).toMatchObject({ param: "model" });
    expect((await ask(api, "moderations", { body: '{"input":"x"}' })).error).toMatchObject({ param: "model" });
    expect(upstream.seen).toHaveLength(0);
  });

  test("a second model behind the file is refused before the upstream has the whole form", async () => {
    const form = field("model", "whisper-1") + file("x".repeat(2_000_000)) + field("model", "gpt") + end;
    const { status, error } = await transcribe(api, form);
    expect([status, error?.param]).toEqual([400, "model"]);
    expect(upstream.seen).toHaveLength(0);
  });
});

test("a key that may call certain models may call them in forms too, and run no batch", async () => {
  const api = await gatehouse.llm("bound", `${upstream.url}/v1`, { passThrough: [...everything] });
  const key = await gatehouse.key("bound", { allow: ["whisper-*"] });
  expect((await transcribe(api, field("model", "gpt") + end, { key })).status).toBe(404);
  expect((await transcribe(api, field("model", "whisper-1") + file("x") + end, { key })).status).toBe(200);
  expect((await transcribe(api, file("x") + end, { key })).status).toBe(400);
  expect((await ask(api, "batches", { key, body: '{"input_file_id":"file-1"}' })).status).toBe(404);
});

test("a target's own model takes the place of the client's, in JSON and in a form, and nothing else changes", async () => {
  const production = { targets: [{ provider: "one", model: "a-longer-name" }] };
  const api = await gatehouse.llm("renamed", `${upstream.url}/v1`, {
    passThrough: ["audio", "images"],
    upstream: { production, sandbox },
  });
  await ask(api, "images/generations", { body: '{"prompt": "m",  "model": "m"}' });
  expect(upstream.seen[0]?.body.toString()).toBe('{"prompt": "m",  "model": "a-longer-name"}');
  const form = (model: string) => file("m") + field("model", model) + field("prompt", "m") + end;
  expect((await transcribe(api, form("m"))).status).toBe(200);
  expect(upstream.seen[1]?.body.toString()).toBe(form("a-longer-name"));
});

test("targets whose provider has no such endpoints are passed over", async () => {
  const production = { targets: [{ provider: "own-wire" }, { provider: "two" }], strategy: { use: "failover" } };
  const api = await gatehouse.llm("mixed", `${upstream.url}/v1`, {
    passThrough: ["images"],
    upstream: { production, sandbox },
  });
  expect((await ask(api, "images/generations", { body: '{"model":"m","prompt":"x"}' })).status).toBe(200);
  expect(other.seen).toHaveLength(1);
});

describe("files and batches", () => {
  let api: TestApi;
  let others: string;
  let kept: readonly [Rows, Rows];
  const form = field("purpose", "batch") + file("{}") + end;
  const upload = async (key = api.key) =>
    String((await ask(api, "files", { body: form, form: true, key })).message["id"]);

  beforeAll(async () => {
    const production = { targets: [{ provider: "one" }, { provider: "two" }], strategy: { use: "round-robin" } };
    api = await gatehouse.llm("kept", `${upstream.url}/v1`, {
      passThrough: ["files", "batches"],
      upstream: { production, sandbox },
    });
    for (const application of ["ours", "theirs"]) await gatehouse.put("Application", application, {});
    api = { ...api, key: await gatehouse.key("kept", { application: "ours" }) };
    others = await gatehouse.key("kept", { application: "theirs" });
  });

  beforeEach(() => {
    kept = [new Map(), new Map()];
    upstream.respond(keeper(kept[0]));
    other.respond(keeper(kept[1]));
  });

  test("stay at the account that has made them", async () => {
    const ids = [await upload(), await upload(), await upload()];
    expect([upstream.seen.length, other.seen.length].toSorted((a, b) => a - b)).toEqual([1, 2]);
    for (const id of ids) expect((await ask(api, `files/${id}`, { method: "GET" })).message["id"]).toBe(id);
    for (const input_file_id of ids)
      expect((await ask(api, "batches", { body: JSON.stringify({ input_file_id }) })).status).toBe(200);
  });

  test("of another application are not there, whatever is asked of them", async () => {
    const id = await upload();
    const batch = String((await ask(api, "batches", { body: JSON.stringify({ input_file_id: id }) })).message["id"]);
    for (const each of [upstream, other]) each.forget();
    const calls = [
      ["GET", `files/${id}`],
      ["GET", `files/${id}/content`],
      ["DELETE", `files/${id}`],
      ["GET", `batches/${batch}`],
      ["POST", `batches/${batch}/cancel`],
      ["GET", `files?after=${id}`],
    ] as const;
    for (const [method, path] of calls) {
      const refused = await ask(api, path, { method, key: others });
      const unknown = await ask(api, path.replace(id, "file-none").replace(batch, "batch_none"), {
        method,
        key: others,
      });
      expect([path, refused.status, refused.error?.message.replace(id, "").replace(batch, "")]).toEqual([
        path,
        404,
        unknown.error?.message.replace("file-none", "").replace("batch_none", ""),
      ]);
    }
    expect((await ask(api, "batches", { key: others, body: JSON.stringify({ input_file_id: id }) })).status).toBe(404);
    expect([...upstream.seen, ...other.seen]).toHaveLength(0);
  });

  test("of the application are there for its next key", async () => {
    const id = await upload();
    const next = await gatehouse.key("kept", { application: "ours" });
    expect((await ask(api, `files/${id}`, { method: "GET", key: next })).status).toBe(200);
  });

  test("are listed for whom they are, over all accounts and pages of others'", async () => {
    const own = [await upload(others), await upload(others), await upload(others)];
    for (const rows of kept) {
      for (let more = 0; more < 150; more += 1) {
        const id = `file-of-another-account-${more}`;
        rows.set(id, { id, object: "file" });
      }
    }
    const list = async (query: string) => (await ask(api, `files?${query}`, { method: "GET", key: others })).message;
    const idsOf = (message: Record<string, unknown>) => (message["data"] as { id: string }[]).map(({ id }) => id);
    const whole = await list("limit=20");
    expect([idsOf(whole).toSorted(), whole["has_more"]]).toEqual([own.toSorted(), false]);
    const first = await list("limit=2");
    expect([idsOf(first), first["has_more"], first["last_id"]]).toEqual([
      idsOf(whole).slice(0, 2),
      true,
      idsOf(whole)[1],
    ]);
    const rest = await list(`limit=2&after=${String(first["last_id"])}`);
    expect([idsOf(rest), rest["has_more"]]).toEqual([idsOf(whole).slice(2), false]);
    expect((await list("limit=none"))["error"]).toMatchObject({ param: "limit" });
  });
});
