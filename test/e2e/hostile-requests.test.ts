// long: one table of hostile spellings, held against one table of routes
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestApi, TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { startMockUpstream } from "../kit/mock-upstream.ts";
import { rawSocket } from "../kit/raw-http.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let api: TestApi;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  api = await gatehouse.llm("chat", `${upstream.url}/v1`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** A route with everything that it asks for, so that only the spelling can be what is wrong. */
interface Target {
  readonly name: string;
  readonly plane: "gateway" | "control";
  readonly method: string;
  readonly path: string;
}

const targets: readonly Target[] = [
  { name: "a public route of the control plane", plane: "control", method: "GET", path: "/api/v1/openapi.json" },
  { name: "a protected route of the control plane", plane: "control", method: "GET", path: "/api/v1/teams/default" },
  { name: "a public route of the gateway", plane: "gateway", method: "GET", path: "/livez" },
  { name: "an API on the gateway", plane: "gateway", method: "POST", path: "/chat/v1/chat/completions" },
  { name: "a route below /auth", plane: "gateway", method: "GET", path: "/auth/.well-known/openid-configuration" },
];

const portOf = ({ plane }: Target): number =>
  Number(new URL(plane === "gateway" ? gatehouse.running.gatewayUrl : gatehouse.running.controlUrl).port);

const credentialOf = ({ plane }: Target): string => (plane === "gateway" ? api.key : gatehouse.running.adminToken);

const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] });

interface Shape {
  readonly target?: string;
  readonly method?: string;
  readonly version?: string;
  /** The Host lines; one with `localhost` when absent. */
  readonly host?: readonly string[];
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly lengths?: readonly string[];
}

/** Sends bytes as they are; gives the status line's code, 0 for a connection that was closed without an answer. */
async function send(to: Target, shape: Shape = {}): Promise<{ readonly status: number; readonly text: string }> {
  const method = shape.method ?? to.method;
  const sent = shape.body ?? (to.method === "POST" ? body : "");
  const lines = [
    `${method} ${shape.target ?? to.path} ${shape.version ?? "HTTP/1.1"}`,
    ...(shape.host ?? ["Host: localhost"]),
    `Authorization: Bearer ${credentialOf(to)}`,
    ...(sent === "" ? [] : ["Content-Type: application/json"]),
    ...(shape.lengths ?? (sent === "" ? [] : [`Content-Length: ${Buffer.byteLength(sent)}`])),
    ...(shape.headers ?? []),
    "Connection: close",
  ];
  const text = await rawSocket(portOf(to), Buffer.from(`${lines.join("\r\n")}\r\n\r\n${sent}`, "latin1"));
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0), text };
}

/** The last slash of a path is what most tricks are about. */
const atSlash = (path: string, text: string): string => path.replace(/\/(?=[^/]*$)/, text);
const atLetter = (path: string, text: string): string => path.replace(/[a-z](?=[^/]*$)/, text);

const spellings: readonly { readonly name: string; readonly spell: (path: string) => string }[] = [
  { name: "an encoded slash", spell: (path) => atSlash(path, "%2f") },
  { name: "an encoded slash in upper case", spell: (path) => atSlash(path, "%2F") },
  { name: "an encoded first slash", spell: (path) => path.replace("/", "/%2f") },
  { name: "a slash encoded twice", spell: (path) => atSlash(path, "%252f") },
  { name: "a backslash", spell: (path) => atSlash(path, "\\") },
  { name: "an encoded backslash", spell: (path) => atSlash(path, "%5c") },
  { name: "a double slash", spell: (path) => atSlash(path, "//") },
  { name: "a double slash at the beginning", spell: (path) => `/${path}` },
  { name: "a host in front of the path", spell: (path) => `//localhost${path}` },
  { name: "a trailing slash", spell: (path) => `${path}/` },
  { name: "a trailing encoded slash", spell: (path) => `${path}%2f` },
  { name: "a trailing dot", spell: (path) => `${path}/.` },
  { name: "a single dot segment", spell: (path) => `/.${path}` },
  { name: "a single dot segment within", spell: (path) => atSlash(path, "/./") },
  { name: "a double dot segment", spell: (path) => `/x/..${path}` },
  { name: "a double dot segment that leaves a public path", spell: (path) => `/livez/..${path}` },
  { name: "an encoded double dot segment", spell: (path) => `/x/%2e%2e${path}` },
  { name: "a half encoded double dot segment", spell: (path) => `/x/.%2E${path}` },
  { name: "a double dot segment encoded twice", spell: (path) => `/x/%252e%252e${path}` },
  { name: "a double dot with an encoded slash", spell: (path) => `/x/..%2f${path.slice(1)}` },
  { name: "a double dot with a semicolon", spell: (path) => `/x/..;${path}` },
  { name: "a path parameter", spell: (path) => `${path};jsessionid=1` },
  { name: "an empty path parameter", spell: (path) => `${path};` },
  { name: "a path parameter within", spell: (path) => atSlash(path, ";x=1/") },
  { name: "a path parameter at the beginning", spell: (path) => `/;${path}` },
  { name: "an encoded semicolon", spell: (path) => `${path}%3bx` },
  {
    name: "an encoded letter",
    spell: (path) => atLetter(path, (/[a-z](?=[^/]*$)/.exec(path)?.[0] ?? "").replace(/./, hexOf)),
  },
  { name: "upper case", spell: (path) => path.toUpperCase() },
  { name: "an encoded NUL", spell: (path) => `${path}%00` },
  { name: "an encoded NUL and an ending", spell: (path) => `${path}%00.css` },
  { name: "an encoded line break", spell: (path) => `${path}%0d%0aX: 1` },
  { name: "an encoded tabulator", spell: (path) => `${path}%09` },
  { name: "an encoded space", spell: (path) => `${path}%20` },
  { name: "a NUL", spell: (path) => `${path}\u0000` },
  { name: "a tabulator", spell: (path) => `${path}\t` },
  { name: "a byte beyond ASCII", spell: (path) => `${path}\u00ff` },
  { name: "an overlong slash", spell: (path) => atSlash(path, "%c0%af") },
  { name: "an overlong dot", spell: (path) => `/x/%c0%ae%c0%ae${path}` },
  { name: "a wide slash", spell: (path) => atSlash(path, "%ef%bc%8f") },
  { name: "a slash in another notation", spell: (path) => atSlash(path, "%u2215") },
  { name: "broken percent-encoding", spell: (path) => `${path}%` },
  { name: "a fragment", spell: (path) => `${path}#x` },
  { name: "an encoded fragment", spell: (path) => `${path}%23` },
  { name: "an encoded query", spell: (path) => `${path}%3fx=1` },
  { name: "a static ending", spell: (path) => `${path}.css` },
  { name: "a static file below", spell: (path) => `${path}/x.css` },
  { name: "absolute form", spell: (path) => `http://localhost${path}` },
  { name: "absolute form of another host", spell: (path) => `http://evil.com${path}` },
  { name: "absolute form with a name and a password", spell: (path) => `http://a:b@localhost${path}` },
  { name: "another scheme", spell: (path) => `file://${path}` },
  { name: "authority form", spell: () => "localhost:80" },
  { name: "asterisk form", spell: () => "*" },
  { name: "a path without its slash", spell: (path) => path.slice(1) },
];

function hexOf(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16)}`;
}

const hosts: readonly { readonly name: string; readonly host: readonly string[] }[] = [
  { name: "no Host", host: [] },
  { name: "an empty Host", host: ["Host:"] },
  { name: "another Host", host: ["Host: evil.com"] },
  { name: "a Host that begins like an allowed one", host: ["Host: localhost.evil.com"] },
  { name: "a Host that ends like an allowed one", host: ["Host: evil-localhost"] },
  { name: "a Host with a path", host: ["Host: localhost/livez"] },
  { name: "a Host with a fragment", host: ["Host: localhost/#"] },
  { name: "a Host that moves the path into a fragment", host: ["Host: x/#"] },
  { name: "a Host with a query", host: ["Host: localhost?"] },
  { name: "a Host with a user", host: ["Host: localhost@evil.com"] },
  { name: "a Host behind a user", host: ["Host: evil.com@localhost"] },
  { name: "a Host with a backslash", host: ["Host: localhost\\evil.com"] },
  { name: "a Host with a port that is none", host: ["Host: localhost:99999"] },
  { name: "a Host with a port in letters", host: ["Host: localhost:http"] },
  { name: "a Host with two ports", host: ["Host: localhost:80:80"] },
  { name: "a Host with a space", host: ["Host: localhost evil.com"] },
  { name: "a list of hosts", host: ["Host: localhost, evil.com"] },
  { name: "a trailing comma", host: ["Host: localhost,"] },
  { name: "an IPv6 address of another machine", host: ["Host: [2001:db8::1]"] },
  { name: "an IPv6 address without brackets", host: ["Host: ::1"] },
  { name: "an IPv6 address with a zone", host: ["Host: [::1%25lo]"] },
  { name: "two Hosts, the second foreign", host: ["Host: localhost", "Host: evil.com"] },
  { name: "two Hosts, the first foreign", host: ["Host: evil.com", "Host: localhost"] },
  { name: "the same Host twice", host: ["Host: localhost", "host: localhost"] },
  { name: "a folded Host", host: ["Host: localhost\r\n evil.com"] },
  { name: "a space before the colon", host: ["Host : localhost"] },
];

const shapes: readonly { readonly name: string; readonly shape: (to: Target) => Shape }[] = [
  {
    name: "a length and chunks",
    shape: () => ({ body: "0\r\n\r\n", lengths: ["Content-Length: 5", "Transfer-Encoding: chunked"] }),
  },
  {
    name: "chunks and a length",
    shape: () => ({ body: "0\r\n\r\n", lengths: ["Transfer-Encoding: chunked", "Content-Length: 5"] }),
  },
  { name: "two lengths", shape: () => ({ body, lengths: [`Content-Length: ${body.length}`, "Content-Length: 0"] }) },
  { name: "a list of lengths", shape: () => ({ body, lengths: [`Content-Length: ${body.length}, ${body.length}`] }) },
  { name: "a signed length", shape: () => ({ body, lengths: [`Content-Length: +${body.length}`] }) },
  { name: "a negative length", shape: () => ({ body, lengths: ["Content-Length: -1"] }) },
  { name: "a hexadecimal length", shape: () => ({ body, lengths: ["Content-Length: 0x10"] }) },
  {
    name: "an unknown transfer coding",
    shape: () => ({ body: "0\r\n\r\n", lengths: ["Transfer-Encoding: xchunked"] }),
  },
  {
    name: "chunked that is not the last coding",
    shape: () => ({ body: "0\r\n\r\n", lengths: ["Transfer-Encoding: chunked, identity"] }),
  },
  {
    name: "a space before the colon of the coding",
    shape: () => ({ body: "0\r\n\r\n", lengths: ["Transfer-Encoding : chunked"] }),
  },
  { name: "a folded header", shape: () => ({ headers: ["X-A: 1\r\n Content-Length: 0"] }) },
  { name: "a header name with a NUL", shape: () => ({ headers: ["X-\u0000A: 1"] }) },
  { name: "a header value with a NUL", shape: () => ({ headers: ["X-A: 1\u0000"] }) },
  { name: "a bare line feed in a header", shape: () => ({ headers: ["X-A: 1\u000bY"], method: "GE\u0000T" }) },
  { name: "a method that is none", shape: () => ({ method: "GETT" }) },
  { name: "a method in lower case", shape: ({ method }) => ({ method: method.toLowerCase() }) },
  { name: "TRACE", shape: () => ({ method: "TRACE", body: "" }) },
  { name: "CONNECT", shape: () => ({ method: "CONNECT", body: "" }) },
  { name: "CONNECT of a host", shape: () => ({ method: "CONNECT", target: "localhost:80", body: "" }) },
  { name: "PROPFIND", shape: () => ({ method: "PROPFIND", body: "" }) },
  { name: "PATCH", shape: () => ({ method: "PATCH" }) },
  { name: "another version of HTTP", shape: () => ({ version: "HTTP/3.0" }) },
  { name: "no version", shape: () => ({ version: "" }) },
  { name: "HTTP/1.0 without a Host", shape: () => ({ version: "HTTP/1.0", host: [] }) },
];

describe.each(targets)("$name", (to) => {
  const reached = async (): Promise<number> => upstream.seen.length;

  test("answers as it is written", async () => {
    const { status } = await send(to);
    expect(status).toBe(200);
  });

  test.each(spellings)("does not answer to $name", async ({ spell }) => {
    const before = await reached();
    const { status } = await send(to, { target: spell(to.path) });
    expect([400, 403, 404]).toContain(status);
    expect(await reached()).toBe(before);
  });

  const isProbe = to.path === "/livez";
  test.each(isProbe ? [] : hosts)("does not answer to $name", async ({ host }) => {
    const before = await reached();
    const { status } = await send(to, { host });
    expect([400, 403]).toContain(status);
    expect(await reached()).toBe(before);
  });

  test.each(shapes)("does not answer to $name", async ({ shape }) => {
    const before = await reached();
    const { status, text } = await send(to, shape(to));
    // 0: closed without a word, as Node does with CONNECT
    expect([0, 400, 403, 404, 405, 501, 505]).toContain(status);
    expect(text.match(/HTTP\/1\.1 /g)?.length ?? 0).toBeLessThanOrEqual(1);
    expect(await reached()).toBe(before);
  });
});

describe("headers that other servers take for the request's line", () => {
  const closed: Target = { name: "", plane: "control", method: "GET", path: "/api/v1/teams" };

  test.each([
    "X-Original-URL: /livez",
    "X-Rewrite-URL: /livez",
    "X-Forwarded-Prefix: /livez",
    "X-Forwarded-Path: /livez",
    "X-Forwarded-Uri: /livez",
    "X-Forwarded-Host: evil.com",
    "X-Forwarded-Proto: https",
    "X-Forwarded-For: 127.0.0.1",
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: DELETE",
    "X-HTTP-Method: DELETE",
    "Forwarded: host=evil.com;for=127.0.0.1",
    "X-Host: evil.com",
  ])("%s changes nothing", async (header) => {
    const plain = await send(closed);
    const answer = await send(closed, { headers: [header] });
    expect(plain.status).toBe(200);
    expect(answer.status).toBe(200);
    expect(answer.text.slice(answer.text.indexOf("\r\n\r\n"))).toBe(plain.text.slice(plain.text.indexOf("\r\n\r\n")));
    const nowhere = await send({ ...closed, path: "/nowhere" }, { headers: [header] });
    expect(nowhere.status).toBe(404);
  });

  test("a method in the query changes nothing", async () => {
    expect((await send({ ...closed, path: "/livez?_method=DELETE" })).status).toBe(200);
    expect((await send({ ...closed, path: "/api/v1/teams?_method=DELETE" })).status).toBe(400);
  });

  test("an address that claims to be a proxy's word is not believed", async () => {
    await send({ ...closed, path: "/api/v1/secrets" }, { headers: ["X-Forwarded-For: 203.0.113.9"] });
    const put = `{"value":"x"}`;
    await send(
      { name: "", plane: "control", method: "PUT", path: "/api/v1/secrets/one" },
      {
        headers: ["X-Forwarded-For: 203.0.113.9"],
        body: put,
      },
    );
    const { rows } = await gatehouse.running.context.catalog.read.audit.list(
      { action: "secret.created" },
      { limit: 10 },
    );
    expect(rows).toMatchObject([{ clientAddress: "127.0.0.1", actor: "admin" }]);
    expect(rows[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("a value that may hold slashes", () => {
  test("the id of an OAuth client that is an address is one value", async () => {
    const path = "/api/v1/applications/none/oauth-clients/https%3A%2F%2Fx.example%2Fc.json";
    const answer = await send({ name: "", plane: "control", method: "GET", path });
    expect(answer.status).toBe(404);
    expect(answer.text).toContain("resource.not_found");
    const name = "/api/v1/applications/a%2Fb/oauth-clients/c";
    expect((await send({ name: "", plane: "control", method: "GET", path: name })).text).toContain("route.not_found");
  });

  test("the name of a model is one value", async () => {
    const path = "/chat/v1/models/meta-llama%2FLlama-3";
    const answer = await send({ name: "", plane: "gateway", method: "GET", path });
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain("not plain");
  });
});
