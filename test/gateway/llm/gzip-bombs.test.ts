import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp } from "../../kit/raw-http.ts";

// A small body that unpacks to a huge one. Nothing on the way is ever unpacked: what is encoded is refused as it stands.

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;

/** 64 MiB of spaces, more than any limit here, in some 60 kB. */
const huge = Buffer.alloc(64 * 1024 * 1024, " ");
const bombs = [
  { name: "gzip", encoding: "gzip", bytes: gzipSync(huge) },
  { name: "gzip in gzip", encoding: "gzip, gzip", bytes: gzipSync(gzipSync(huge)) },
  { name: "brotli", encoding: "br", bytes: brotliCompressSync(huge.subarray(0, 8 * 1024 * 1024)) },
];

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("bombed", `${upstream.url}/v1`, {
    upstream: {
      production: { targets: [{ provider: "bombed" }], breaker: { failures: 0 } },
      sandbox: { sameAs: "production" },
    },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const paths = [
  { path: "chat/completions", body: { model: "m", messages: [] } },
  { path: "responses", body: { model: "m", input: "hi" } },
  { path: "messages", body: { model: "m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] } },
];

function ask(path: string, body: string | Buffer, headers: Record<string, string> = {}) {
  const all = { "content-type": "application/json", authorization: `Bearer ${api.key}`, ...headers };
  return rawHttp(`${api.url}/${path}`, { headers: all, body });
}

describe.each(bombs)("a bomb of $name", ({ encoding, bytes }) => {
  test("in a request is refused before a provider hears of it", async () => {
    const before = upstream.seen.length;
    for (const { path } of paths) expect((await ask(path, bytes, { "content-encoding": encoding })).status).toBe(415);
    expect(upstream.seen).toHaveLength(before);
  });

  test.each(paths)("in an answer to $path is the upstream's fault", async ({ path, body }) => {
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": encoding });
      response.end(bytes);
    });
    const answer = await ask(path, JSON.stringify(body));
    expect(answer.status).toBe(502);
    expect(answer.text.length).toBeLessThan(2_000);
  });

  test.each(paths)("in a stream without end to $path ends it at once", async ({ path, body }) => {
    let isOpen = true;
    upstream.respond((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": encoding });
      const more = setInterval(() => response.write(bytes), 5);
      response.on("close", () => {
        clearInterval(more);
        isOpen = false;
      });
    });
    expect((await ask(path, JSON.stringify({ ...body, stream: true }))).status).toBe(502);
    await eventually("the gateway has let go of it", () => !isOpen);
  });
});

test("a gateway that was sent bombs goes on serving", async () => {
  upstream.respond(chatAnswer("still here"));
  const answer = await ask("chat/completions", JSON.stringify({ model: "m", messages: [] }));
  expect(answer.text).toContain("still here");
});
