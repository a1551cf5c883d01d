import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../../kit/mock-upstream.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("open", `${upstream.url}/v1`, {
    passThrough: ["images", "audio"],
    limits: { responseBytes: 4_000_000 },
  });
  client = new OpenAI({ baseURL: api.url, apiKey: api.key, maxRetries: 0 });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const sse = (events: readonly object[]): string =>
  events
    .map((event) => `event: ${"type" in event ? String(event.type) : ""}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");

/** Answers with these bytes, in pieces of so many. */
function inPieces(bytes: Buffer, most: number): Respond {
  return (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    for (let at = 0; at < bytes.length; at += most) response.write(bytes.subarray(at, at + most));
    response.end();
  };
}

let rowsSeen = 0;

/** The row of the next exchange; each test waits for all of its own. */
async function nextRow(): Promise<Readonly<Record<string, unknown>>> {
  rowsSeen += 1;
  const rows = async () => (await gatehouse.events()).filter(({ type }) => type === "exchange");
  await eventually("the row is written", async () => (await rows()).length === rowsSeen, 10_000);
  return { ...(await rows()).at(-1) };
}

async function ask({ url, key }: TestApi): Promise<Buffer> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = JSON.stringify({ model: "gpt-image-1", prompt: "a gate", stream: true });
  return Buffer.from(await (await fetch(`${url}/images/generations`, { method: "POST", headers, body })).arrayBuffer());
}

const picture = "A".repeat(300_000);
const usage = {
  input_tokens: 12,
  output_tokens: 272,
  total_tokens: 284,
  input_tokens_details: { text_tokens: 12, image_tokens: 0 },
};
const pictures = [
  { type: "image_generation.partial_image", partial_image_index: 0, b64_json: picture },
  { type: "image_generation.completed", b64_json: picture, usage },
];

test("a streamed picture is counted by what its end tells, however the stream is cut", async () => {
  upstream.respond(inPieces(Buffer.from(sse(pictures)), 10_007));
  const stream = await client.images.generate({ model: "gpt-image-1", prompt: "a gate", stream: true });
  const seen: string[] = [];
  for await (const event of stream) seen.push(`${event.type} ${event.b64_json.length}`);
  expect(seen).toEqual(["image_generation.partial_image 300000", "image_generation.completed 300000"]);
  expect(await nextRow()).toMatchObject({ input_tokens: 12, output_tokens: 272, usage_source: "actual" });
});

test("a streamed transcription is counted, its sound apart", async () => {
  const events = [
    { type: "transcript.text.delta", delta: "hel" },
    { type: "transcript.text.delta", delta: 'lo "usage"' },
    {
      type: "transcript.text.done",
      text: 'hello "usage"',
      usage: { type: "tokens", input_tokens: 14, output_tokens: 5, input_token_details: { audio_tokens: 13 } },
    },
  ];
  upstream.respond(inPieces(Buffer.from(sse(events)), 1));
  const file = await toFile(Buffer.alloc(2_000, 7), "hello.wav");
  const stream = await client.audio.transcriptions.create({ file, model: "gpt-4o-transcribe", stream: true });
  let text = "";
  for await (const event of stream) if (event.type === "transcript.text.delta") text += event.delta;
  expect(text).toBe('hello "usage"');
  expect(await nextRow()).toMatchObject({ input_tokens: 14, output_tokens: 5, usage_source: "actual" });
});

test("the bytes pass as they are", async () => {
  const odd = Buffer.concat([
    Buffer.from(': hello\r\n\r\nevent: x\r\ndata: {"usage": 1}\r\n\r\ndata: not JSON "usage"\n\n'),
    Buffer.from([0xff, 0xfe, 0x0a, 0x0a]),
    Buffer.from(sse(pictures.slice(1))),
    Buffer.from("data: the end of it"),
  ]);
  upstream.respond(inPieces(odd, 4_096));
  expect((await ask(api)).equals(odd)).toBe(true);
  expect(await nextRow()).toMatchObject({ input_tokens: 12, output_tokens: 272 });
});

test("of a stream whose end never came, and of one with an event beyond the limit, it is not known what they cost", async () => {
  upstream.respond(inPieces(Buffer.from(sse(pictures.slice(0, 1))), 100_000));
  const stream = await client.images.generate({ model: "gpt-image-1", prompt: "a gate", stream: true });
  for await (const { type } of stream) expect(type).toBe("image_generation.partial_image");
  expect(await nextRow()).toMatchObject({ input_tokens: null, cost_source: "unknown" });

  const huge = sse([{ type: "image_generation.partial_image", b64_json: "A".repeat(4_100_000) }, ...pictures]);
  upstream.respond(inPieces(Buffer.from(huge), 1_000_000));
  const large = await client.images.generate({ model: "gpt-image-1", prompt: "a gate", stream: true });
  const lengths: number[] = [];
  for await (const event of large) lengths.push(event.b64_json.length);
  expect(lengths).toEqual([4_100_000, 300_000, 300_000]);
  expect(await nextRow()).toMatchObject({ input_tokens: null, cost_source: "unknown" });
});

test("a limit of tokens is charged what the stream has told", async () => {
  const limit = { use: "token-limit", with: { tokens: 1_000, window: "month", reserveOutput: 20 } };
  const limited = await gatehouse.llm("limited", `${upstream.url}/v1`, { passThrough: ["images"], policies: [limit] });
  upstream.respond(inPieces(Buffer.from(sse(pictures)), 100_000));
  for (let made = 1; made <= 4; made += 1) {
    expect((await ask(limited)).includes("image_generation.completed")).toBe(true);
    await nextRow();
  }
  expect((await ask(limited)).toString()).toContain("limit"); // after 4 times 284
});
