import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { messageOf, publishServer, rpcOf, sse, sseMessages, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "guarded", `${upstream.url}/mcp`, {
    policies: [{ use: "secrets" }, { use: "pii", with: { action: "redact", answers: { action: "redact" } } }],
  });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const secret = "sk_live_9fG27JqMxkVDbrktR4zep8wc";
const person = "ada.lovelace@example.org";
const leak = `the token is ${secret}, of ${person}`;
const base64 = Buffer.from(leak).toString("base64");
const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255, 254]).toString("base64");

/** Members of results that carry text, by their names in the protocol. */
const members: readonly { readonly name: string; readonly result: object }[] = [
  { name: "a text", result: { content: [{ type: "text", text: leak }] } },
  {
    name: "a text after a picture",
    result: {
      content: [
        { type: "image", data: picture, mimeType: "image/png" },
        { type: "text", text: leak },
      ],
    },
  },
  { name: "structured content", result: { content: [], structuredContent: { rows: [{ note: leak }] } } },
  {
    name: "the text of an embedded resource",
    result: { content: [{ type: "resource", resource: { uri: "n:///1", text: leak } }] },
  },
  {
    name: "a blob in base64",
    result: { content: [{ type: "resource", resource: { uri: "n:///1", blob: base64, mimeType: "text/plain" } }] },
  },
  { name: "a data URL", result: { content: [{ type: "text", text: `data:text/plain;base64,${base64}` }] } },
  {
    name: "a link's description",
    result: { content: [{ type: "resource_link", uri: "n:///1", name: "n", description: leak }] },
  },
  { name: "an error of the tool", result: { isError: true, content: [{ type: "text", text: leak }] } },
];

/** All that a text holds, what stands there in base64 too. */
function opened(text: string): string {
  const hidden = text.match(/[A-Za-z0-9+/]{24,}={0,2}/g) ?? [];
  return [text, ...hidden.map((each) => Buffer.from(each, "base64").toString("latin1"))].join("\n");
}

function expectClean(text: string): void {
  const all = opened(text);
  expect(all).not.toContain(secret);
  expect(all).not.toContain(person);
  expect(all).toContain("[secret]"); // it was rewritten, and not lost
}

describe.each(members)("$name of a result", ({ result }) => {
  test("comes without the secret and the person in it, whole", async () => {
    upstream.respond((request, response) =>
      json(200, { jsonrpc: "2.0", id: messageOf(request).id, result })(request, response),
    );
    const answer = await server.post(toolCall("legacy", 1, "echo"));
    expect(answer.status).toBe(200);
    expect(rpcOf(answer).id).toBe(1);
    expectClean(answer.text);
  });

  test("comes without them in a stream, wherever it is cut", async () => {
    const whole = sse({ jsonrpc: "2.0", id: 1, result });
    const middle = whole.indexOf("sk_live_") > 0 ? whole.indexOf("sk_live_") + 7 : Math.floor(whole.length / 2);
    for (const cut of [1, middle, whole.length - 3]) {
      upstream.respond(events([whole.slice(0, cut), whole.slice(cut)]));
      const answer = await server.post(toolCall("legacy", 1, "echo"));
      expect(sseMessages(answer.text)).toHaveLength(1);
      expectClean(answer.text);
    }
  });
});

test("no cut between two bytes of a stream lets anything through", async () => {
  const whole = sse({ jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: leak }] } });
  for (let cut = 1; cut < whole.length; cut += 1) {
    upstream.respond(events([whole.slice(0, cut), whole.slice(cut)]));
    expectClean((await server.post(toolCall("legacy", 1, "echo"))).text);
  }
}, 30_000);

test("what a server tells before its result is looked at too", async () => {
  const log = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: { note: leak } } };
  const done = { jsonrpc: "2.0", id: 1, result: { content: [{ type: "text", text: "done" }] } };
  upstream.respond(events([sse(log), sse(done)]));
  expectClean((await server.post(toolCall("legacy", 1, "echo"))).text);
});

test("resources and prompts are looked at as results of tools are", async () => {
  const cases = [
    { method: "resources/read", params: { uri: "n:///1" }, result: { contents: [{ uri: "n:///1", blob: base64 }] } },
    { method: "resources/read", params: { uri: "n:///1" }, result: { contents: [{ uri: "n:///1", text: leak }] } },
    {
      method: "prompts/get",
      params: { name: "p" },
      result: { messages: [{ role: "user", content: { type: "text", text: leak } }] },
    },
  ];
  for (const { method, params, result } of cases) {
    upstream.respond(json(200, { jsonrpc: "2.0", id: 1, result }));
    expectClean((await server.post({ jsonrpc: "2.0", id: 1, method, params })).text);
  }
});
