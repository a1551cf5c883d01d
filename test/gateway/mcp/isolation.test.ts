import { Agent, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { startMockUpstream } from "../../kit/mock-upstream.ts";
import type { Era, PublishedServer } from "./published-server.ts";
import { messageOf, publishServer, sse, textResult, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const clients = 500;

function call(agent: Agent, era: Era, mark: string): Promise<string> {
  const message = toolCall(era, 1, "echo", { mark });
  const modern = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo" };
  const headers = {
    authorization: `Bearer ${server.key}`,
    "content-type": "application/json",
    ...(era === "modern" ? modern : { "mcp-protocol-version": "2025-11-25" }),
  };
  return new Promise((resolve, reject) => {
    const own = request(server.url, { method: "POST", headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    own.on("error", reject);
    own.end(JSON.stringify(message));
  });
}

test.each([
  { era: "legacy", stream: false },
  { era: "legacy", stream: true },
  { era: "modern", stream: false },
  { era: "modern", stream: true },
] as const)("500 clients with the same id get their own results ($era, streams: $stream)", async ({ era, stream }) => {
  // Answers only when all are waiting, and in another order than they came, so that each could be taken for another.
  const waiting: (() => void)[] = [];
  upstream.respond((seen, response) => {
    const { id, params } = messageOf(seen);
    const { mark } = params["arguments"] as { mark: string }; // as `call` sends it
    const answer = textResult(id, mark);
    waiting.push(() => {
      if (stream) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(sse({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: mark } }));
        response.end(sse(answer));
      } else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
    if (waiting.length === clients) for (const at of waiting.keys()) waiting[(at * 7 + 3) % clients]?.();
  });
  const agent = new Agent({ maxSockets: clients });
  const marks = Array.from({ length: clients }, (_, at) => `mark-${era}-${at}-end`);
  const answers = await Promise.all(marks.map((mark) => call(agent, era, mark)));
  agent.destroy();
  const found = answers.map((text) => [...new Set(text.match(/mark-[a-z]+-\d+-end/g))]);
  expect(found).toEqual(marks.map((mark) => [mark]));
});
