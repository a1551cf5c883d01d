import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import { rawHttp, rawSocket } from "../../kit/raw-http.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, modernVersion, publishServer, rpcOf, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`, {
    limits: { requestBytes: 100_000, jsonDepth: 8 },
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

// Whatever a test has sent: the process goes on, and the request after it is served.
afterEach(async () => {
  expect((await server.post(toolCall("legacy", 1, "echo"))).status).toBe(200);
});

const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{}}}';
const withArgument = (text: string) => call.replace('"arguments":{}', `"arguments":{"a":${text}}`);

interface BodyCase {
  readonly name: string;
  readonly body: string | Buffer;
  readonly rpc: number;
  readonly id?: number | null;
  readonly status?: number;
}

const bodies: readonly BodyCase[] = [
  { name: "malformed JSON", body: call.slice(0, -1), rpc: -32_700 },
  { name: "no body", body: "", rpc: -32_700 },
  { name: "two documents", body: call + call, rpc: -32_700 },
  { name: "a byte order mark", body: `\uFEFF${call}`, rpc: -32_700 },
  { name: "invalid UTF-8", body: Buffer.from(withArgument('"\xff"'), "latin1"), rpc: -32_700 },
  { name: "a member twice", body: call.replace('"method"', '"method":"tools/list","method"'), rpc: -32_600 },
  { name: "a nested member twice", body: withArgument('{"b":{"c":1,"c":2}}'), rpc: -32_600 },
  { name: "a member twice, once escaped", body: withArgument('{"b":1,"\\u0062":2}'), rpc: -32_600 },
  { name: "nesting that is too deep", body: withArgument(`${"[".repeat(20)}${"]".repeat(20)}`), rpc: -32_600 },
  { name: "half of a surrogate pair", body: withArgument('"\\ud83d"'), rpc: -32_600 },
  { name: "a number beyond all doubles", body: withArgument("1e999"), rpc: -32_600 },
  { name: "a number of a thousand digits", body: withArgument("9".repeat(1_000)), rpc: -32_600 },
  { name: "an id beyond 53 bits", body: call.replace('"id":1', '"id":9007199254740993'), rpc: -32_600 },
  { name: "an id that is a fraction", body: call.replace('"id":1', '"id":1.5'), rpc: -32_600 },
  { name: "an id that is null", body: call.replace('"id":1', '"id":null'), rpc: -32_600 },
  { name: "a batch", body: `[${call},${call}]`, rpc: -32_600 },
  { name: "an empty batch", body: "[]", rpc: -32_600 },
  { name: "a text", body: '"tools/call"', rpc: -32_600 },
  { name: "another JSON-RPC", body: call.replace('"2.0"', '"1.0"'), rpc: -32_600, id: 1 },
  { name: "params that are a list", body: call.replace(/"params".*$/, '"params":[1]}'), rpc: -32_600, id: 1 },
  { name: "a method that is no text", body: call.replace('"tools/call"', "7"), rpc: -32_600, id: 1 },
  { name: "neither method nor result", body: '{"jsonrpc":"2.0","id":1}', rpc: -32_600, id: 1 },
  {
    name: "result and error at once",
    body: '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}',
    rpc: -32_600,
    id: 1,
  },
  { name: "a body that is too large", body: withArgument(`"${"x".repeat(100_000)}"`), rpc: 1_413, status: 413 },
];

describe("a body is refused", () => {
  test.each(bodies)("$name", async ({ body, rpc, id = null, status = 400 }) => {
    const before = upstream.seen.length;
    const answer = await server.post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.json()).toMatchObject({ jsonrpc: "2.0", id, error: { code: rpc } });
    expect(upstream.seen.length).toBe(before);
  });

  test.each([{ type: "text/plain" }, { type: "application/xml" }, { type: "text/json, application/json" }])(
    "of the type $type",
    async ({ type }) => {
      const answer = await server.post(call, { headers: { "content-type": type } });
      expect([answer.status, rpcOf(answer).error?.code]).toEqual([415, 1_415]);
    },
  );
});

const large = "123456789012345678901234567890";

test("unusual numbers, texts and members that two readers understand alike go up as they are", async () => {
  const body = withArgument(`[${large},1e300,-0.0,"\\ud83d\\ude00"]`).replace('"method"', '"future":{"x":1},"method"');
  expect((await server.post(body)).status).toBe(200);
  expect(String(upstream.seen.at(-1)?.body)).toBe(body);
});

interface HeaderCase {
  readonly name: string;
  readonly headers: Record<string, string | string[]>;
  readonly drop?: string;
  readonly tool?: string;
  readonly args?: object;
}

const sentinel = (text: string) => `=?base64?${Buffer.from(text).toString("base64")}?=`;

const disagreeing: readonly HeaderCase[] = [
  { name: "another method", headers: { "mcp-method": "tools/list" } },
  { name: "the method in capitals", headers: { "mcp-method": "TOOLS/CALL" } },
  { name: "the method twice", headers: { "mcp-method": ["tools/call", "tools/call"] } },
  { name: "no method", headers: {}, drop: "mcp-method" },
  { name: "another name", headers: { "mcp-name": "other" } },
  { name: "the name twice", headers: { "mcp-name": ["echo", "echo"] } },
  { name: "no name", headers: {}, drop: "mcp-name" },
  { name: "another name in base64", headers: { "mcp-name": sentinel("other") } },
  { name: "base64 that is none", headers: { "mcp-name": "=?base64?%%%?=" } },
  { name: "base64 without its padding", headers: { "mcp-name": "=?base64?ZWNobw?=" } },
  {
    name: "base64 of invalid UTF-8",
    headers: { "mcp-name": `=?base64?${Buffer.from([0xff, 0xfe]).toString("base64")}?=` },
  },
  { name: "a sentinel that does not end", headers: { "mcp-name": "=?base64?ZWNobw==" } },
  { name: "bytes that are no ASCII", headers: { "mcp-name": Buffer.from("écho").toString("latin1") }, tool: "écho" },
  { name: "a legacy version", headers: { "mcp-protocol-version": "2025-11-25" } },
  { name: "no version", headers: {}, drop: "mcp-protocol-version" },
  { name: "an argument that is not there", headers: { "mcp-param-region": "eu" } },
  { name: "an argument of another value", headers: { "mcp-param-region": "us" }, args: { region: "eu" } },
  { name: "an argument twice", headers: { "mcp-param-region": ["eu", "eu"] }, args: { region: "eu" } },
  { name: "another argument in base64", headers: { "mcp-param-region": sentinel("us") }, args: { region: "eu" } },
  { name: "an argument's name for its value", headers: { "mcp-param-region": "region" }, args: { region: "eu" } },
  { name: "an object for a value", headers: { "mcp-param-a": "[object Object]" }, args: { a: {} } },
];

describe("headers that tell another story than the body", () => {
  test.each(disagreeing)("$name", async ({ headers, drop, tool = "echo", args = {} }) => {
    const before = upstream.seen.length;
    const message = toolCall("modern", 7, tool, args);
    const given: Record<string, string | string[]> = {
      "content-type": "application/json",
      authorization: `Bearer ${server.key}`,
      "mcp-protocol-version": modernVersion,
      "mcp-method": "tools/call",
      "mcp-name": tool,
      ...headers,
    };
    if (drop !== undefined) delete given[drop];
    const answer = await rawHttp(server.url, { headers: given, body: JSON.stringify(message) });
    expect([answer.status, rpcOf(answer).error?.code, rpcOf(answer).id]).toEqual([400, -32_020, 7]);
    expect(upstream.seen.length).toBe(before);
  });

  test.each([
    { name: "a legacy body under a modern header", claimed: "2025-11-25", header: modernVersion },
    { name: "a legacy body under another legacy header", claimed: "2025-06-18", header: "2025-11-25" },
    { name: "a body of an unknown version", claimed: "2031-01-01", header: "2025-11-25" },
  ])("$name", async ({ claimed, header }) => {
    const before = upstream.seen.length;
    const message = JSON.stringify(toolCall("modern", 7, "echo")).replace(modernVersion, claimed);
    const headers = { "mcp-protocol-version": header, "mcp-method": "tools/call", "mcp-name": "echo" };
    const answer = await server.post(message, { headers });
    expect([answer.status, rpcOf(answer).error?.code, rpcOf(answer).id]).toEqual([400, -32_020, 7]);
    expect(upstream.seen.length).toBe(before);
  });

  test("arguments of the sessions' era are compared as well", async () => {
    const headers = { "mcp-param-region": "us" };
    const answer = await server.post(toolCall("legacy", 7, "echo", { region: "eu" }), { headers });
    expect([answer.status, rpcOf(answer).error?.code]).toEqual([400, -32_020]);
  });

  test("texts, numbers and booleans agree wherever they stand among the arguments", async () => {
    const args = { region: "eu", deep: [{ n: -42, yes: true }], far: "Łódź" };
    const headers = {
      "mcp-param-region": "eu",
      "mcp-param-n": "-42",
      "mcp-param-yes": "true",
      "mcp-param-far": sentinel("Łódź"),
    };
    expect((await server.post(toolCall("modern", 7, "echo", args), { era: "modern", headers })).status).toBe(200);
  });

  test("a name that no header can carry agrees as base64", async () => {
    const answer = await server.post(toolCall("modern", 7, "écho 🔧"), {
      era: "modern",
      headers: { "mcp-name": sentinel("écho 🔧") },
    });
    expect(answer.status).toBe(200);
  });

  test("a line break smuggled into a header is no request at all", async () => {
    const port = Number(new URL(server.url).port);
    const answer = await rawSocket(
      port,
      `POST /tools/mcp HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${server.key}\r\nmcp-name: a\rmcp-method: b\r\ncontent-length: 0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });
});

describe("versions that nobody speaks", () => {
  test("in the header alone, with the versions that there are", async () => {
    const answer = await server.post(toolCall("legacy", 3, "echo"), {
      headers: { "mcp-protocol-version": "2031-01-01" },
    });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ id: 3, error: { code: -32_022, data: { requested: "2031-01-01" } } });
    expect(rpcOf(answer).error?.data?.["supported"]).toEqual(
      expect.arrayContaining([modernVersion, "2025-11-25", "2024-11-05"]),
    );
  });

  test("in header and body, with the stateless versions only", async () => {
    const message = JSON.parse(
      JSON.stringify(toolCall("modern", 3, "echo")).replace(modernVersion, "2031-01-01"),
    ) as object;
    const answer = await server.post(message, { era: "modern", headers: { "mcp-protocol-version": "2031-01-01" } });
    expect(answer.json()).toMatchObject({ id: 3, error: { code: -32_022, data: { supported: [modernVersion] } } });
  });

  test("on a GET", async () => {
    const headers = { authorization: `Bearer ${server.key}`, "mcp-protocol-version": "nonsense" };
    expect((await rawHttp(server.url, { method: "GET", headers })).status).toBe(400);
  });
});

describe("session traffic in the wrong place", () => {
  test.each([{ method: "GET" }, { method: "DELETE" }])("the stateless era has no $method", async ({ method }) => {
    const headers = { authorization: `Bearer ${server.key}`, "mcp-protocol-version": modernVersion };
    const answer = await rawHttp(server.url, { method, headers });
    expect([answer.status, answer.headers["allow"]]).toEqual([405, "POST"]);
  });

  test("HEAD neither opens a stream nor ends a session", async () => {
    const before = upstream.seen.length;
    const answer = await rawHttp(server.url, { method: "HEAD", headers: { authorization: `Bearer ${server.key}` } });
    expect([answer.status, answer.headers["allow"]]).toEqual([405, "POST, GET, DELETE"]);
    expect(upstream.seen.length).toBe(before);
  });

  test.each([{ method: "PUT" }, { method: "PATCH" }, { method: "OPTIONS" }])(
    "$method is no method of MCP",
    async ({ method }) => {
      const answer = await rawHttp(server.url, { method, headers: { authorization: `Bearer ${server.key}` } });
      expect([answer.status, answer.headers["allow"]]).toEqual([405, "POST, GET, DELETE"]);
      expect(answer.json()).toMatchObject({ jsonrpc: "2.0", error: { code: 1_405 } });
    },
  );

  test.each([
    { name: "none of ours", session: "0f6e" },
    { name: "altered", session: "gs1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
    { name: "two of them", session: "gs1.a, gs1.b" },
  ])("a session that is $name does not exist", async ({ session }) => {
    for (const method of ["POST", "GET", "DELETE"]) {
      const headers = {
        authorization: `Bearer ${server.key}`,
        "content-type": "application/json",
        "mcp-session-id": session,
      };
      const answer = await rawHttp(server.url, { method, headers, ...(method === "POST" && { body: call }) });
      expect([method, answer.status, rpcOf(answer).error?.code]).toEqual([method, 404, 1_404]);
    }
  });
});

describe("a key", () => {
  const headers = { "content-type": "application/json", accept: "application/json" };

  test("is taken as a bearer token and in the key header", async () => {
    for (const own of [{ authorization: `Bearer ${server.key}` }, { apikey: server.key }]) {
      expect((await rawHttp(server.url, { headers: { ...headers, ...own }, body: call })).status).toBe(200);
    }
  });

  test.each([{ name: "apikey" }, { name: "api_key" }, { name: "access_token" }])(
    "is not looked for in the query as $name",
    async ({ name }) => {
      const answer = await rawHttp(`${server.url}?${name}=${server.key}`, { headers, body: call });
      expect([answer.status, rpcOf(answer).error?.code]).toEqual([401, 1_401]);
      expect(answer.headers["www-authenticate"]).toMatch(/^Bearer /);
    },
  );

  test("of another API is refused, and no body is read before it is known", async () => {
    const other = await publishServer(gatehouse, "other", `${upstream.url}/mcp`);
    expect((await server.post(call, { key: other.key })).status).toBe(403);
    expect((await server.post("{ this is never looked at", { key: null })).status).toBe(401);
  });
});
