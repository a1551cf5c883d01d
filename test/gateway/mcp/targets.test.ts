import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, keyFor, publishServer, rpcOf } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;
let key = "";

beforeAll(async () => {
  upstream = await startMockUpstream(answering("fine"));
  gatehouse = await startTestGatehouse();
  const guard = { use: "regex", on: ["read_a"], with: { patterns: [{ pattern: "forbidden", action: "deny" }] } };
  server = await publishServer(gatehouse, "targets", `${upstream.url}/mcp`, { policies: [guard] });
  key = await keyFor(gatehouse, "targets", { allow: ["read_*"] });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

interface TargetCase {
  readonly name: string;
  readonly method: string;
  readonly params: object;
}

const uri = "file:///secret";

const forbidden: readonly TargetCase[] = [
  { name: "a resource beside a permitted name", method: "resources/read", params: { uri, name: "read_a" } },
  { name: "a subscription beside it", method: "resources/subscribe", params: { uri, name: "read_a" } },
  { name: "the end of one beside it", method: "resources/unsubscribe", params: { uri, name: "read_a" } },
  { name: "a tool beside a permitted URI", method: "tools/call", params: { uri: "read_a", name: "write_a" } },
  {
    name: "a completion for a prompt",
    method: "completion/complete",
    params: { name: "read_a", ref: { type: "ref/prompt", name: "write", uri: "read_a" } },
  },
  {
    name: "a completion for a resource",
    method: "completion/complete",
    params: { name: "read_a", ref: { type: "ref/resource", uri, name: "read_a" } },
  },
  {
    name: "one of several resources to listen to",
    method: "subscriptions/listen",
    params: { name: "read_a", notifications: { resourceSubscriptions: ["read_a", uri] } },
  },
  { name: "a name of a method that nobody knows", method: "x/any", params: { name: "write_a" } },
  { name: "a URI of one, beside a permitted name", method: "x/any", params: { name: "read_a", uri } },
];

test.each(forbidden)("a key that may call some is not let through to $name", async ({ method, params }) => {
  const before = upstream.seen.length;
  const answer = await server.post({ jsonrpc: "2.0", id: 4, method, params }, { key });
  expect([rpcOf(answer).id, rpcOf(answer).error?.code]).toEqual([4, -32_602]);
  expect(rpcOf(answer).error?.message).toMatch(/ not found$/);
  expect(upstream.seen.length).toBe(before);
});

test.each([
  { name: "a task", method: "tasks/get", params: { taskId: "t", name: "write_a" } },
  { name: "its own resources", method: "subscriptions/listen", params: { resourceSubscriptions: ["read_a"] } },
  {
    name: "a prompt of its own",
    method: "completion/complete",
    params: { ref: { type: "ref/prompt", name: "read_a" } },
  },
])("such a key reaches $name", async ({ method, params }) => {
  expect((await server.post({ jsonrpc: "2.0", id: 4, method, params }, { key })).status).toBe(200);
});

test.each([
  { method: "tools/call", params: {} },
  { method: "tools/call", params: { name: 7 } },
  { method: "tools/call", params: { name: "" } },
  { method: "tools/call", params: { name: ["write_a"], uri: "read_a" } },
  { method: "prompts/get", params: { uri: "read_a" } },
  { method: "resources/read", params: { name: "read_a" } },
  { method: "completion/complete", params: { ref: "read_a" } },
  { method: "completion/complete", params: { ref: { type: "ref/other", name: "read_a" } } },
  { method: "subscriptions/listen", params: { notifications: { resourceSubscriptions: [{}] } } },
])("$method with $params is refused for its parameters", async ({ method, params }) => {
  const before = upstream.seen.length;
  for (const other of [key, server.key]) {
    const answer = await server.post({ jsonrpc: "2.0", id: 4, method, params }, { key: other });
    expect([answer.status, rpcOf(answer).id, rpcOf(answer).error?.code]).toEqual([400, 4, -32_602]);
  }
  expect(upstream.seen.length).toBe(before);
});

test("a guardrail on one tool is not led to another's name", async () => {
  const call = (params: object) => server.post({ jsonrpc: "2.0", id: 4, method: "tools/call", params });
  expect((await call({ name: "read_a", uri: "other", arguments: { a: "forbidden" } })).status).toBe(422);
});
