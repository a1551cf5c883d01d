import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, chunk, done, events, startMockUpstream, usageChunk } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let renamed: TestApi;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
  renamed = await gatehouse.llm("renamed", `${upstream.url}/v1`, {
    upstream: {
      production: { targets: [{ provider: "renamed", model: 'far "model"' }] },
      sandbox: { sameAs: "production" },
    },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

function ask(at: TestApi, body: string | Buffer) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${at.key}` };
  return rawHttp(`${at.url}/chat/completions`, { headers, body });
}

const odd = [
  '\n { "seed" : 12345678901234567890 ,"temperature":1e-0000001, "unknown":{"a":1,"b":[ ]},',
  '\t"messages":[{"role":"user","content":"\\u00e9\\/ Łódź 😀 \\ud83d\\ude00"}] , "model"\r\n:  "gpt-4o"  , "z":-0.0 } \n',
].join("");

describe("a request's bytes", () => {
  test("reach the upstream as the client wrote them", async () => {
    upstream.respond(chatAnswer("Hello."));
    expect((await ask(api, odd)).status).toBe(200);
    expect(upstream.seen.at(-1)?.body.toString("utf8")).toBe(odd);
  });

  test("differ by the model's value alone where the target renames it", async () => {
    upstream.respond(chatAnswer("Hello."));
    const escaped = odd.replace('"model"', '"mod\\u0065l"');
    expect((await ask(renamed, escaped)).status).toBe(200);
    expect(upstream.seen.at(-1)?.body.toString("utf8")).toBe(escaped.replace('"gpt-4o"', '"far \\"model\\""'));
  });

  test("differ by the wish for usage alone in a stream", async () => {
    upstream.respond(events([done]));
    const body = odd.replace('"z":-0.0', '"stream":true');
    expect((await ask(api, body)).status).toBe(200);
    const sent = upstream.seen.at(-1)?.body.toString("utf8");
    expect(sent).toBe(body.replace("{", '{"stream_options":{"include_usage":true},'));
  });

  test("are those of the client where the stream's usage was asked for", async () => {
    upstream.respond(events([done]));
    const body = '{"stream":true,"stream_options":{ "include_usage":true , "x":9007199254740993},"model":"m"}';
    expect((await ask(api, body)).status).toBe(200);
    expect(upstream.seen.at(-1)?.body.toString("utf8")).toBe(body);
  });

  test.each([
    ["no options", '"stream_options":null,', '"stream_options":{"include_usage":true},'],
    ["empty options", '"stream_options":{ },', '"stream_options":{"include_usage":true },'],
    [
      "options with a number that JSON.parse would round",
      '"stream_options":{"x":9007199254740993},',
      '"stream_options":{"include_usage":true,"x":9007199254740993},',
    ],
    [
      "usage refused",
      '"stream_options":{"include_usage":false,"x":1e400},',
      '"stream_options":{"include_usage":true,"x":1e400},',
    ],
  ])("keep every other byte of the stream's options: %s", async (_name, options, sent) => {
    upstream.respond(events([done]));
    expect((await ask(api, `{${options}"stream":true,"model":"m"}`)).status).toBe(200);
    expect(upstream.seen.at(-1)?.body.toString("utf8")).toBe(`{${sent}"stream":true,"model":"m"}`);
  });
});

describe("an answer's bytes", () => {
  test("reach the client as the upstream wrote them", async () => {
    const body = ' {"id":"x", "n":12345678901234567890,"choices":[ {"message":{"content":"\\u00e9 😀"}}]}\n';
    upstream.respond(
      (_request, response) => void response.writeHead(200, { "content-type": "application/json" }).end(body),
    );
    expect((await ask(api, odd)).text).toBe(body);
  });

  const text = JSON.stringify({ choices: [{ index: 0, delta: { content: "Zażółć 😀" } }] });
  const large = JSON.stringify({ choices: [{ index: 0, delta: { content: "é".repeat(2_000_000) } }] });
  test.each([
    ["LF", `data: ${text}\n\ndata: [DONE]\n\n`],
    ["CRLF", `data: ${text}\r\n\r\ndata: [DONE]\r\n\r\n`],
    ["CR", `data: ${text}\r\rdata: [DONE]\r\r`],
    ["no space behind the colon", `data:${text}\n\ndata:[DONE]\n\n`],
    ["heartbeats and comments", `: ping\n\n:\n\ndata: ${text}\n: in between\n\ndata: [DONE]\n\n`],
    ["a byte order mark", `\uFEFFdata: ${text}\n\ndata: [DONE]\n\n`],
    ["further fields", `id: 7\nevent: message\nretry: 10\ndata: ${text}\n\ndata: [DONE]\n\n`],
    ["data on several lines", `data: {"choices":\ndata: []}\n\ndata: [DONE]\n\n`],
    ["blank lines between events", `\n\ndata: ${text}\n\n\n\n\ndata: [DONE]\n\n`],
    ["an event of megabytes", `data: ${large}\n\ndata: [DONE]\n\n`],
  ])("reach the client unchanged in a stream with %s, however it is cut", async (_name, stream) => {
    const bytes = Buffer.from(stream);
    const size = bytes.length > 10_000 ? 70_001 : 3; // 3 cuts letters in two
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    upstream.respond(events(pieces));
    const answer = await ask(api, '{"model":"m","stream":true}');
    expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(answer.body.equals(bytes)).toBe(true);
  });

  test.each([
    ["at the end", ',"usage":null}', "}"],
    ["in the middle", ',"usage" : null , "obfuscation":"x"}', ' , "obfuscation":"x"}'],
  ])("lose only the `usage` that the gateway asked for itself: %s", async (_name, tail, left) => {
    const head = '{"n":12345678901234567890, "choices":[{"index":0,"delta":{"content":"\\"usage\\":null"}}]';
    upstream.respond(
      events([`data: ${head}${tail}\n\n`, usageChunk({ prompt_tokens: 1, completion_tokens: 1 }), done]),
    );
    const answer = await ask(api, '{"model":"m","stream":true}');
    expect(answer.text).toBe(`data: ${head}${left}\n\n${done}`);
  });

  test("keep the first member's neighbour where `usage` stands first", async () => {
    upstream.respond(events(['data: { "usage": null, "choices":[{"index":0,"delta":{}}]}\n\n', done]));
    const answer = await ask(api, '{"model":"m","stream":true}');
    expect(answer.text).toBe(`data: {  "choices":[{"index":0,"delta":{}}]}\n\n${done}`);
  });

  test("carry a stream to its end although the upstream leaves its connection open", async () => {
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(chunk({ content: "a" }) + done);
    });
    const answer = await ask(api, '{"model":"m","stream":true}');
    expect(answer.text).toBe(chunk({ content: "a" }) + done);
    await upstream.seen.at(-1)?.aborted; // and the gateway lets go of it
  });
});
