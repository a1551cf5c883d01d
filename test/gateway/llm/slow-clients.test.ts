import { connect } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventually } from "../../kit/eventually.ts";
import type { TestApi, TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { chunk, startMockUpstream } from "../../kit/mock-upstream.ts";

vi.setConfig({ testTimeout: 30_000 });

/** Tens of megabytes pass, on whatever machine. */
const passMs = 20_000;

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;

beforeEach(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse({}, { stalledMs: 300 });
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
});

afterEach(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** A client that sends one request and reads nothing. */
function ask(stream: boolean) {
  const { port } = new URL(api.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => {});
  const body = JSON.stringify({ model: "m", stream });
  const head = `POST /chat/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${api.key}\r\n`;
  socket.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  socket.pause();
  return socket;
}

test("a client that does not read holds the upstream back, and is let go after a while", async () => {
  let sentBytes = 0;
  let isHeldBack = false;
  upstream.respond((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = chunk({ content: "x".repeat(60_000) });
    const more = (): void => {
      while (sentBytes < 200_000_000) {
        if (response.destroyed) return;
        sentBytes += event.length;
        if (!response.write(event)) {
          isHeldBack = true;
          response.once("drain", more);
          return;
        }
      }
    };
    more();
  });
  const socket = ask(true);
  await eventually("the upstream saw the request", () => upstream.seen.length === 1, passMs);
  await upstream.seen[0]?.aborted;
  expect(isHeldBack).toBe(true);
  expect(sentBytes).toBeLessThan(40_000_000); // what the sockets of both hops hold
  await eventually("the row is written", async () => (await gatehouse.events()).length === 2, passMs);
  expect((await gatehouse.events())[0]).toMatchObject({ http_status: 499, outcome: "cancelled" });
  socket.destroy();
});

test("a client that does not read a whole answer is let go too", async () => {
  const content = "x".repeat(30_000_000);
  upstream.respond((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ choices: [{ index: 0, message: { content } }] }));
  });
  const socket = ask(false);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await eventually("the row is written", async () => (await gatehouse.events()).length === 2, passMs);
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // Node's own socket timer runs on the machine's clock
  let readBytes = 0;
  socket.on("data", (piece) => {
    readBytes += piece.length;
  });
  socket.resume();
  await closed;
  expect(readBytes).toBeLessThan(content.length);
});
