import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";
import type { PublishedServer } from "./published-server.ts";
import { keyFor, publishServer, sse, sseMessages, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const resume = (server: PublishedServer, key = server.key): Promise<RawAnswer> =>
  rawHttp(server.url, {
    method: "GET",
    headers: { authorization: `Bearer ${key}`, accept: "text/event-stream", "last-event-id": "1" },
  });

function publish(name: string, policies: readonly object[]): Promise<PublishedServer> {
  return publishServer(gatehouse, name, `${upstream.url}/mcp`, { policies });
}

const redact = { patterns: [{ pattern: "555-1234", action: "redact", replacement: "[number]" }] };
const result = (more: object) => sse({ jsonrpc: "2.0", id: 9, result: more }, "2");

test("a list that comes on a resumed stream shows no more than in the answer to its request", async () => {
  const server = await publish("lists", []);
  const key = await keyFor(gatehouse, "lists", { allow: ["read_*"] });
  const named = (...names: string[]) => names.map((name) => ({ name }));
  upstream.respond(
    events([
      result({ tools: named("read_a", "write_a") }),
      result({ prompts: named("write_p", "read_p") }),
      result({ resources: [{ uri: "file:///a" }, { uri: "read_r" }] }),
      result({ resourceTemplates: [{ uriTemplate: "file:///{a}" }], tools: named("write_b") }),
    ]),
  );
  expect(sseMessages((await resume(server, key)).text)).toEqual([
    { jsonrpc: "2.0", id: 9, result: { tools: named("read_a") } },
    { jsonrpc: "2.0", id: 9, result: { prompts: named("read_p") } },
    { jsonrpc: "2.0", id: 9, result: { resources: [{ uri: "read_r" }] } },
    { jsonrpc: "2.0", id: 9, result: { resourceTemplates: [], tools: [] } },
  ]);
});

test.each([
  { name: "one tool", on: { on: ["secretive"] } },
  { name: "tool calls", on: { on: ["tools/call"] } },
  { name: "a condition", on: { when: 'operation.kind == "tools/call"' } },
])("a guardrail on $name judges results on a resumed stream, whosever they are", async ({ name, on }) => {
  const server = await publish(`resumed-${name.replaceAll(" ", "-")}`, [{ use: "regex", with: redact, ...on }]);
  upstream.respond(events([sse(textResult(9, "call 555-1234"), "2")]));
  expect(sseMessages((await resume(server)).text)).toEqual([textResult(9, "call [number]")]);
});

test("a guardrail on what servers ask judges that on the stream of any call, and not the call's own result", async () => {
  const server = await publish("asked", [{ use: "regex", with: redact, on: ["sampling/createMessage"] }]);
  const ask = (text: string) => ({ jsonrpc: "2.0", id: 3, method: "sampling/createMessage", params: { text } });
  upstream.respond(events([sse(ask("555-1234")), sse(textResult(1, "555-1234"))]));
  const { text } = await server.post(toolCall("legacy", 1, "echo"));
  expect(sseMessages(text)).toEqual([ask("[number]"), textResult(1, "555-1234")]);
});
