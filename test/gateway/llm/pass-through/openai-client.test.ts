import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { MockUpstream } from "../../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../../kit/mock-upstream.ts";
import { rawHttp } from "../../../kit/raw-http.ts";
import { keeper } from "./keeper.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let client: OpenAI;

const families = ["images", "audio", "files", "batches", "moderations", "rerank"] as const;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("open", `${upstream.url}/v1`, { passThrough: [...families] });
  client = new OpenAI({ baseURL: api.url, apiKey: api.key, maxRetries: 0 });
});

beforeEach(() => upstream.forget());

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const last = () => upstream.seen.at(-1);
const rowOf = async (kind: string) =>
  (await gatehouse.events()).findLast((event) => event.type === "exchange" && event["operation_kind"] === kind);

describe("the unmodified client", () => {
  test("makes a picture, and its tokens are in the row", async () => {
    const usage = {
      input_tokens: 12,
      output_tokens: 272,
      total_tokens: 284,
      input_tokens_details: { text_tokens: 12, image_tokens: 0 },
    };
    upstream.respond(json(200, { created: 1, data: [{ b64_json: "aGk=" }], usage }));
    const made = await client.images.generate({ model: "gpt-image-1", prompt: "a gate" });
    expect(made.data?.[0]?.b64_json).toBe("aGk=");
    expect([last()?.url, last()?.body.toString()]).toEqual([
      "/v1/images/generations",
      JSON.stringify({ model: "gpt-image-1", prompt: "a gate" }),
    ]);
    expect(await rowOf("images")).toMatchObject({
      operation_name: "gpt-image-1",
      input_tokens: 12,
      output_tokens: 272,
      usage_source: "actual",
      attempts: 1,
    });
  });

  test("changes a picture with a form, which passes byte for byte", async () => {
    upstream.respond(json(200, { created: 1, data: [{ b64_json: "aGk=" }] }));
    const picture = Buffer.from("not really\r\n--a picture\0ÿ");
    const image = await toFile(picture, "gate.png", { type: "image/png" });
    const changed = await client.images.edit({ model: "gpt-image-1", prompt: "open it", image });
    expect(changed.data).toHaveLength(1);
    expect(last()?.body.includes(picture)).toBe(true);
    expect(last()?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
  });

  test("hears speech, as it comes", async () => {
    const sound = Buffer.from([0xff, 0xfb, 0x90, 0x00, 0x0a]);
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "audio/mpeg" });
      response.end(sound);
    });
    const spoken = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hello" });
    expect(spoken.headers.get("content-type")).toBe("audio/mpeg");
    expect(Buffer.from(await spoken.arrayBuffer())).toEqual(sound);
    expect(await rowOf("audio")).toMatchObject({
      operation_name: "tts-1",
      input_tokens: null,
      cost_source: "unknown",
      cost: null,
    });
  });

  test("has a recording written down, in JSON and as plain text", async () => {
    const told = {
      type: "tokens",
      input_tokens: 14,
      output_tokens: 5,
      total_tokens: 19,
      input_token_details: { audio_tokens: 14 },
    };
    upstream.respond(json(200, { text: "hello", usage: told }));
    const recording = Buffer.alloc(300_000, 7);
    const words = await client.audio.transcriptions.create({
      file: await toFile(recording, "hello.wav"),
      model: "gpt-4o-transcribe",
    });
    expect(words.text).toBe("hello");
    expect(last()?.body.includes(recording)).toBe(true);
    expect(await rowOf("audio")).toMatchObject({
      operation_name: "gpt-4o-transcribe",
      input_tokens: 14,
      output_tokens: 5,
    });

    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.end("bonjour\n");
    });
    const file = await toFile(recording, "hello.wav");
    const text = await client.audio.transcriptions.create({ file, model: "whisper-1", response_format: "text" });
    expect(text).toBe("bonjour\n");
  });

  test("asks for a judgement, with and without a model", async () => {
    upstream.respond(json(200, { id: "modr-1", model: "omni-moderation-latest", results: [{ flagged: false }] }));
    const judged = await client.moderations.create({ input: "hello" });
    expect(judged.results[0]?.flagged).toBe(false);
    expect((await client.moderations.create({ model: "omni-moderation-latest", input: "hello" })).id).toBe("modr-1");
  });

  test("keeps a file, finds it in the list, reads it and takes it away", async () => {
    upstream.respond(keeper());
    const lines = Buffer.from('{"custom_id":"1"}\n');
    const kept = await client.files.create({ file: await toFile(lines, "in.jsonl"), purpose: "batch" });
    expect(last()?.body.includes(lines)).toBe(true);
    expect((await client.files.retrieve(kept.id)).id).toBe(kept.id);
    expect(await (await client.files.content(kept.id)).text()).toContain("content of");
    const listed: string[] = [];
    for await (const { id } of client.files.list()) listed.push(id);
    expect(listed).toContain(kept.id);
    expect((await client.files.delete(kept.id)).deleted).toBe(true);
    await expect(client.files.retrieve(kept.id)).rejects.toMatchObject({ status: 404 });
  });

  test("runs a batch, looks at it, lists it, reads what it wrote and cancels it", async () => {
    upstream.respond(keeper());
    const { id: input_file_id } = await client.files.create({
      file: await toFile(Buffer.from("{}"), "in.jsonl"),
      purpose: "batch",
    });
    const batch = await client.batches.create({
      input_file_id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    expect(await rowOf("batches")).toMatchObject({ cost_source: "unknown" });
    const seen = await client.batches.retrieve(batch.id);
    expect(await (await client.files.content(seen.output_file_id ?? "")).text()).toContain("content of");
    const listed: string[] = [];
    for await (const { id } of client.batches.list()) listed.push(id);
    expect(listed).toContain(batch.id);
    expect((await client.batches.cancel(batch.id)).status).toBe("cancelling");
  });
});

test("documents are ranked over plain HTTP", async () => {
  upstream.respond(
    json(200, { model: "rerank-2", results: [{ index: 1, relevance_score: 0.9 }], usage: { total_tokens: 31 } }),
  );
  const body = JSON.stringify({ model: "rerank-2", query: "gate", documents: ["wall", "door"] });
  const headers = { authorization: `Bearer ${api.key}`, "content-type": "application/json" };
  const answer = await rawHttp(`${api.url}/rerank`, { method: "POST", headers, body });
  expect([answer.status, last()?.url, last()?.body.toString()]).toEqual([200, "/v1/rerank", body]);
  expect(await rowOf("rerank")).toMatchObject({ operation_name: "rerank-2", input_tokens: 31, output_tokens: 0 });
});
