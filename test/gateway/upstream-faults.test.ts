import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { rawHttp } from "../kit/raw-http.ts";

/** What the far end does with a connection; each test says it anew. */
let behave: (socket: Socket) => void;
let far: Server;
const sockets = new Set<Socket>();
let gatehouse: TestGatehouse;
let api: TestApi;

beforeAll(async () => {
  far = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    // A kept connection brings one request after another; what else arrives is the rest of a body.
    socket.on("data", (piece: Buffer) => {
      if (piece.subarray(0, 5).toString("latin1") === "POST ") behave(socket);
    });
  });
  await new Promise<void>((resolve) => far.listen(0, "127.0.0.1", resolve));
  const address = far.address();
  const port = typeof address === "object" ? address?.port : 0;
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `http://127.0.0.1:${port}/v1`, {
    limits: { responseBytes: 50_000, deadlineMs: 5_000 },
    upstream: {
      production: {
        targets: [{ provider: "chat" }],
        breaker: { failures: 0 },
        timeouts: { connectMs: 500, firstByteMs: 300, idleMs: 300 },
      },
      sandbox: { sameAs: "production" },
    },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  far.close();
});

function ask(at: TestApi = api, body = '{"model":"m","messages":[]}') {
  const headers = { "content-type": "application/json", authorization: `Bearer ${at.key}` };
  return rawHttp(`${at.url}/chat/completions`, { headers, body });
}

const whole = (status: string, body: string, headers = "") =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
const ok = whole("200 OK", '{"choices":[]}');

afterEach(async () => {
  behave = (socket) => socket.write(ok);
  expect((await ask()).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

interface Fault {
  readonly name: string;
  readonly behave: (socket: Socket) => void;
  readonly status: number;
  readonly code: string;
}

const faults: readonly Fault[] = [
  { name: "closes without an answer", behave: (socket) => socket.end(), status: 502, code: "upstream_reset" },
  { name: "resets", behave: (socket) => socket.resetAndDestroy(), status: 502, code: "upstream_reset" },
  { name: "does not answer in time", behave: () => {}, status: 504, code: "upstream_timeout" },
  {
    name: "falls silent within its answer",
    behave: (socket) =>
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"),
    status: 504,
    code: "upstream_timeout",
  },
  {
    name: "speaks no HTTP",
    behave: (socket) => socket.end("SSH-2.0-OpenSSH_9\r\n"),
    status: 502,
    code: "upstream_invalid",
  },
  {
    name: "sends less than it announced",
    behave: (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{}"),
    status: 502,
    code: "upstream_reset",
  },
  {
    name: "breaks off its chunks",
    behave: (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n"),
    status: 502,
    code: "upstream_reset",
  },
  {
    name: "answers 200 with HTML",
    behave: (socket) => socket.write(whole("200 OK", "<html>")),
    status: 502,
    code: "upstream_invalid",
  },
  {
    name: "answers 200 with no body",
    behave: (socket) => socket.write(whole("204 No Content", "")),
    status: 502,
    code: "upstream_invalid",
  },
  {
    name: "answers with more than the limit",
    behave: (socket) => socket.write(whole("200 OK", JSON.stringify({ x: "x".repeat(60_000) }))),
    status: 502,
    code: "upstream_too_large",
  },
  {
    name: "answers without end",
    behave(socket) {
      socket.write("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{");
      const more = setInterval(() => socket.write(" ".repeat(20_000)), 5);
      socket.on("close", () => clearInterval(more));
    },
    status: 502,
    code: "upstream_too_large",
  },
  {
    name: "encodes its answer unasked",
    behave: (socket) => socket.write(whole("200 OK", "{}", "content-encoding: gzip\r\n")),
    status: 502,
    code: "upstream_invalid",
  },
  {
    name: "redirects",
    behave: (socket) => socket.write(whole("307 Temporary Redirect", "", "location: http://127.0.0.1:1/\r\n")),
    status: 502,
    code: "upstream_invalid",
  },
  {
    name: "refuses the gateway's key",
    behave: (socket) => socket.write(whole("401 Unauthorized", '{"error":{"message":"bad key"}}')),
    status: 502,
    code: "upstream_credentials",
  },
  {
    name: "sends headers without end",
    behave: (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}\r\n\r\n`),
    status: 502,
    code: "upstream_invalid",
  },
];

describe("an upstream that", () => {
  test.each(faults)("$name is $status $code", async (fault) => {
    behave = fault.behave;
    const answer = await ask();
    expect(answer.status).toBe(fault.status);
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.json()).toEqual({
      error: { code: fault.code, type: "api_error", param: null, message: expect.any(String) as string },
    });
    expect(answer.text).not.toMatch(/127\.0\.0\.1|bad key/); // neither our network nor our account
    const rows = (await gatehouse.events()).filter(({ exchange_id }) => exchange_id === answer.headers["x-request-id"]);
    expect(rows).toMatchObject([
      { type: "exchange", outcome: "upstream_error", http_status: fault.status },
      { type: "attempt", error_code: fault.code.replace("_", ".") },
    ]);
  });

  test("refuses connections is a 502", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const address = closed.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => closed.close(resolve));
    const answer = await ask(await gatehouse.llm("closed", `http://127.0.0.1:${port}/v1`));
    expect([answer.status, answer.json()]).toMatchObject([502, { error: { code: "upstream_unreachable" } }]);
  });

  test.each([
    [429, '{"error":{"message":"slow down","type":"t","param":null,"code":"c"},"more":9007199254740993}'],
    [500, '{"error":{"message":"oops","type":"t","param":null,"code":"c"}}'],
    [404, '{"error":{"message":"no model","type":"t","param":"model","code":"model_not_found"}}'],
  ])("answers %i with an error object is passed on as it is", async (status, body) => {
    behave = (socket) => socket.write(whole(`${status} X`, body));
    const answer = await ask();
    expect([answer.status, answer.text]).toEqual([status, body]);
  });

  test.each([
    ["an HTML page", "<html>Bad gateway</html>", "The upstream answered with status 503 and no readable error."],
    ["an error of its own shape", '{"detail":"no capacity"}', "no capacity"],
  ])("answers an error as %s gets the error object that SDKs read", async (_name, body, message) => {
    behave = (socket) => socket.write(whole("503 X", body));
    const answer = await ask();
    expect([answer.status, answer.json()]).toEqual([
      503,
      { error: { message, type: "api_error", param: null, code: null } },
    ]);
  });

  test("sends informational answers first is waited for", async () => {
    behave = (socket) =>
      socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${ok}`);
    expect((await ask()).status).toBe(200);
  });

  test("answers before it has read the body is heard", async () => {
    behave = (socket) => {
      socket.pause();
      socket.write(whole("413 X", '{"error":{"message":"too long"}}', "connection: close\r\n"));
    };
    const answer = await ask(api, JSON.stringify({ model: "m", messages: [], x: "x".repeat(5_000_000) }));
    expect([answer.status, answer.json()]).toEqual([413, { error: { message: "too long" } }]);
  });

  test("takes longer than the whole exchange may is a 504, which the client gets", async () => {
    const at = await gatehouse.llm("brief", `${new URL(api.url).origin}/unused`, { limits: { deadlineMs: 150 } });
    const address = far.address();
    const port = typeof address === "object" ? address?.port : 0;
    await gatehouse.put("LlmProvider", "brief", {
      use: "openai-compatible",
      with: { baseUrl: `http://127.0.0.1:${port}/v1` },
    });
    behave = () => {};
    const answer = await ask(at);
    expect([answer.status, answer.json()]).toMatchObject([504, { error: { code: "exchange_deadline" } }]);
  });
});
