import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findKind } from "../../src/core/kinds.ts";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import type { RawRequest } from "../kit/raw-http.ts";
import { rawHttp, rawSocket } from "../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;
let port: number;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `${upstream.url}/v1`, { limits: { requestBytes: 100_000, jsonDepth: 8 } });
  port = Number(new URL(api.url).port);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const good = '{"model":"m","messages":[]}';

function ask({ headers = {}, body = good, method = "POST" }: RawRequest = {}, path = "/chat/v1/chat/completions") {
  const all = { "content-type": "application/json", authorization: `Bearer ${api.key}`, ...headers };
  return rawHttp(`http://127.0.0.1:${port}${path}`, { method, headers: all, body });
}

// Whatever a test has sent: the process goes on, and the request after it is served.
afterEach(async () => {
  expect((await ask()).status).toBe(200);
});

interface BodyCase {
  readonly name: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly code?: string;
  readonly param?: string;
}

const nested = (levels: number) => `{"model":"m","x":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;

const bodies: readonly BodyCase[] = [
  { name: "malformed JSON", body: '{"model":"m",}', status: 400, code: "request_malformed_json" },
  { name: "JSON that is cut off", body: '{"model":"m"', status: 400, code: "request_malformed_json" },
  { name: "two JSON documents", body: `${good}${good}`, status: 400 },
  { name: "no body", body: "", status: 400, code: "request_malformed_json" },
  { name: "a byte order mark", body: `\uFEFF${good}`, status: 400, code: "request_malformed_json" },
  {
    name: "invalid UTF-8",
    body: Buffer.from('{"model":"m\xff"}', "latin1"),
    status: 400,
    code: "request_malformed_json",
  },
  { name: "UTF-16", body: Buffer.from(good, "utf16le"), status: 400 },
  { name: "an array", body: "[]", status: 400, code: "request_invalid" },
  { name: "a string", body: '"model"', status: 400, code: "request_invalid" },
  { name: "null", body: "null", status: 400, code: "request_invalid" },
  { name: "nesting beyond the limit", body: nested(9), status: 400, code: "request_too_deep" },
  { name: "nesting beyond any stack", body: "[".repeat(99_000), status: 400, code: "request_too_deep" },
  { name: "a member twice", body: '{"model":"a","model":"b"}', status: 400, code: "request_invalid", param: "model" },
  { name: "a member twice, once escaped", body: '{"model":"a","mod\\u0065l":"b"}', status: 400, param: "model" },
  { name: "no model", body: "{}", status: 400, code: "request_invalid", param: "model" },
  { name: "a model that is no string", body: '{"model":7}', status: 400, param: "model" },
  { name: "an empty model", body: '{"model":""}', status: 400, param: "model" },
  { name: "a stream that is no boolean", body: '{"model":"m","stream":"yes"}', status: 400, param: "stream" },
  { name: "a text body", headers: { "content-type": "text/plain" }, status: 415 },
  { name: "a form", headers: { "content-type": "application/x-www-form-urlencoded" }, status: 415 },
  { name: "a type that only begins as JSON", headers: { "content-type": "application/jsonp" }, status: 415 },
  {
    name: "gzip",
    body: gzipSync(good),
    headers: { "content-encoding": "gzip" },
    status: 415,
    code: "request_unsupported_media_type",
  },
  { name: "a body beyond the limit", body: `{"x":"${"x".repeat(200_000)}"}`, status: 413, code: "request_too_large" },
  {
    name: "a body beyond the limit without a length",
    body: `{"x":"${"x".repeat(200_000)}"}`,
    headers: { "transfer-encoding": "chunked" },
    status: 413,
    code: "request_too_large",
  },
];

describe("a body that is refused", () => {
  test.each(bodies)("$name is $status with an error object", async ({ status, code, param, ...request }) => {
    const before = upstream.seen.length;
    const answer = await ask(request);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers["x-should-retry"]).toBe("false");
    const wanted = { message: expect.any(String) as string, type: "invalid_request_error", param: param ?? null };
    expect(answer.json()).toEqual({ error: { ...wanted, code: code ?? (expect.any(String) as string) } });
    expect(upstream.seen.length).toBe(before);
  });

  test("a client that announces too much is answered before it has sent it", async () => {
    const head = `POST /chat/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\napikey: ${api.key}\r\n`;
    const text = await rawSocket(port, `${head}content-type: application/json\r\ncontent-length: 9999999\r\n\r\n{`);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("a client that leaves in the middle of its body harms nobody", async () => {
    const { connect } = await import("node:net");
    const socket = connect(port, "127.0.0.1");
    const head = `POST /chat/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\napikey: ${api.key}\r\n`;
    await new Promise((resolve) =>
      socket.write(`${head}content-type: application/json\r\ncontent-length: 99\r\n\r\n{`, resolve),
    );
    socket.destroy();
  });
});

describe("a body that is accepted", () => {
  test.each([
    ["a charset", { "content-type": "application/json; charset=utf-8" }, good],
    ["a type in capitals", { "content-type": "Application/JSON" }, good],
    ["a type of the JSON family", { "content-type": "application/vnd.x+json" }, good],
    ["identity encoding", { "content-encoding": "identity" }, good],
    ["nesting at the limit", {}, nested(8)],
    ["stream: null", {}, '{"model":"m","stream":null}'],
  ])("has %s", async (_name, headers, body) => {
    expect((await ask({ headers, body })).status).toBe(200);
  });
});

describe("a path that is refused", () => {
  test.each([
    ["an unknown path below the context", "POST", "/chat/v1/completions", 404, "route_not_found", undefined],
    ["an unknown context", "POST", "/nobody/v1/chat/completions", 404, "route_not_found", undefined],
    ["a context that only begins like one", "POST", "/chatter/v1/chat/completions", 404, "route_not_found", undefined],
    ["a wrong method", "GET", "/chat/v1/chat/completions", 405, "route_method_not_allowed", "POST"],
    ["a method of the browser's", "OPTIONS", "/chat/v1/chat/completions", 405, "route_method_not_allowed", "POST"],
    ["a wrong method for models", "DELETE", "/chat/v1/models/org/m", 405, "route_method_not_allowed", "GET"],
  ])("%s", async (_name, method, path, status, code, allow) => {
    const answer = await ask({ method, ...(method === "GET" && { body: "" }) }, path);
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({
      error: { code, type: "invalid_request_error", message: expect.any(String) as string },
    });
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.allow).toBe(allow);
  });

  test.each(["RestApi", "AsyncApi"])("a kind that is kept but not served is 501: %s", async (name) => {
    const kind = findKind(name);
    const example = kind?.examples[0] as { context: string };
    await gatehouse.put(name, "orders", example);
    const answer = await ask({}, `${example.context}/7`);
    expect([answer.status, answer.json()]).toMatchObject([501, { status: 501, error: { code: "route_not_served" } }]);
  });

  test("an unknown path of another host is 403", async () => {
    expect((await ask({ headers: { host: "evil.com" } }, "/nobody")).status).toBe(403);
  });

  test("a HEAD of an endpoint has no body and a status", async () => {
    const answer = await ask({ method: "HEAD", body: "" });
    expect([answer.status, answer.body.length]).toEqual([405, 0]);
  });
});

describe("bytes that are no HTTP request", () => {
  test.each([
    ["garbage", "\x16\x03\x01 hello\r\n\r\n", 400],
    ["headers without an end", `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(40_000)}\r\n\r\n`, 431],
    ["two lengths", "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400],
    [
      "a length and chunks",
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
      400,
    ],
    ["a Host that is none", "GET /chat/v1/models HTTP/1.1\r\nhost: a b/c\r\nconnection: close\r\n\r\n", 400],
    ["no Host", "GET /chat/v1/models HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
  ])("%s", async (_name, bytes, status) => {
    const text = await rawSocket(port, bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toMatch(/x-request-id: [0-9a-f-]{36}/);
    expect(JSON.parse(text.slice(text.indexOf("\r\n\r\n")))).toMatchObject({
      error: { type: "invalid_request_error" },
    });
  });
});

describe("hosts and origins", () => {
  const authorized = (headers: Record<string, string>) => ask({ headers });

  test.each([
    ["another host", { host: "evil.com" }],
    ["a host that begins like ours", { host: "localhost.evil.com" }],
    ["an origin of another site", { origin: "http://evil.com" }],
    ["an origin that begins like ours", { origin: "http://localhost.evil.com" }],
    ["the origin of a sandboxed page", { origin: "null" }],
    ["an origin with a path", { origin: "http://localhost/x" }],
  ])("%s is 403 before the key is looked at", async (_name, headers) => {
    const answer = await authorized({ ...headers, authorization: "Bearer wrong" });
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ error: { code: "auth_forbidden_host", type: "permission_error" } });
  });

  test.each([
    ["localhost", { host: "localhost" }],
    ["another port", { host: "127.0.0.1:1" }],
    ["IPv6 loopback", { host: "[::1]:8080" }],
    ["capitals", { host: "LocalHost" }],
  ])("%s is ours", async (_name, headers) => {
    expect((await authorized(headers)).status).toBe(200);
  });
});
