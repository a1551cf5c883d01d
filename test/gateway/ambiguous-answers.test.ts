import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AttachmentSpec } from "../../src/core/attachment.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { events, startMockUpstream } from "../kit/mock-upstream.ts";
import { rawHttp } from "../kit/raw-http.ts";
import { keyFor, publishServer, rpcOf, sse, sseMessages, toolCall } from "./mcp/published-server.ts";

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

const guard = (mode: "enforce" | "monitor"): AttachmentSpec => ({
  use: "regex",
  mode,
  onError: "continue",
  with: { patterns: [{ pattern: "forbidden", action: "redact", replacement: "-" }] },
});

const body =
  (text: string): Respond =>
  (_request, response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(text);

const tools = (name: string) => `{"tools":[{"name":"${name}"}]}`;
const twice = (first: string, last: string) => `{"jsonrpc":"2.0","id":1,"result":${first},"result":${last}}`;
const content = (text: string) => `{"content":[{"type":"text","text":"${text}"}]}`;

describe("an MCP server's answer of two results", () => {
  test("is refused where a guardrail judges it, whole or streamed", async () => {
    const server = await publishServer(gatehouse, "judged", `${upstream.url}/mcp`, { policies: [guard("enforce")] });
    const answer = twice(content("forbidden"), content("fine"));
    upstream.respond(body(answer), events([sse(answer)]));
    const whole = await server.post(toolCall("legacy", 1, "echo"));
    expect([whole.status, rpcOf(whole).error?.data?.["code"]]).toEqual([502, "upstream.invalid"]);
    const streamed = await server.post(toolCall("legacy", 1, "echo"));
    expect(streamed.text).not.toContain("forbidden");
    expect(sseMessages(streamed.text)).toMatchObject([{ id: 1, error: { code: 1_502 } }]);
  });

  test("is refused where a list is filtered, and not called the client's fault", async () => {
    const server = await publishServer(gatehouse, "filtered", `${upstream.url}/mcp`);
    const key = await keyFor(gatehouse, "filtered", { allow: ["read_*"] });
    const list = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    for (const answer of [twice(tools("write_a"), tools("read_a")), twice(tools("write_a"), "{}")]) {
      upstream.respond(body(answer), events([sse(answer)]));
      const whole = await server.post(list, { key });
      expect([whole.status, rpcOf(whole).error?.code]).toEqual([502, 1_502]);
      expect((await server.post(list, { key })).text).not.toContain("write_a");
    }
  });

  test("goes through as it is where nobody decides by it, or only watches", async () => {
    const answer = twice(content("forbidden"), content("fine"));
    const plain = await publishServer(gatehouse, "plain", `${upstream.url}/mcp`);
    const watched = await publishServer(gatehouse, "watched", `${upstream.url}/mcp`, { policies: [guard("monitor")] });
    upstream.respond(body(answer));
    for (const server of [plain, watched]) {
      expect((await server.post(toolCall("legacy", 1, "echo"))).text).toBe(answer);
    }
  });

  test("is not the body of an acceptance either", async () => {
    const server = await publishServer(gatehouse, "accepted", `${upstream.url}/mcp`, { policies: [guard("enforce")] });
    upstream.respond(body(twice(content("forbidden"), content("fine"))), body('{"x":"forbidden"}'), body(content("x")));
    const notification = { jsonrpc: "2.0", method: "notifications/initialized" };
    for (let at = 0; at < 3; at += 1) expect((await server.post(notification)).text).not.toContain("forbidden");
  });
});

describe("a model's answer of two texts", () => {
  const choices = (part: string, text: string) => `"choices":[{"index":0,"${part}":{"content":"${text}"}}]`;
  const stop = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

  test.each([
    { name: "twice the same member", event: `{${choices("delta", "forbidden")},${choices("delta", "fine")}}` },
    { name: "what is no JSON", event: `{${choices("delta", "forbidden")}` },
  ])("is refused in a stream: $name", async ({ name, event }) => {
    const api = await gatehouse.llm(`s-${name.length}`, `${upstream.url}/v1`, {
      policies: [guard("enforce")],
    });
    upstream.respond(events([`data: ${event}\n\n`, stop]));
    const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
    const answer = await rawHttp(`${api.url}/chat/completions`, { headers, body: '{"model":"m","stream":true}' });
    expect(answer.text).not.toContain("forbidden");
    expect(answer.text).toContain('"error"');
  });

  test("is refused whole", async () => {
    const api = await gatehouse.llm("whole", `${upstream.url}/v1`, { policies: [guard("enforce")] });
    upstream.respond(body(`{${choices("message", "forbidden")},${choices("message", "fine")}}`));
    const headers = { "content-type": "application/json", authorization: `Bearer ${api.key}` };
    const answer = await rawHttp(`${api.url}/chat/completions`, { headers, body: '{"model":"m"}' });
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain("forbidden");
  });
});
