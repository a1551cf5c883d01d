import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { ClientHttp2Session } from "node:http2";
import { connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, startMockUpstream } from "../../kit/mock-upstream.ts";
import { answering, keyFor, sse, sseMessages, textResult, toolCall } from "./published-server.ts";

let directory: string;
let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let key: string;
let client: ClientHttp2Session;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-mcp-tls-"));
  const [keyFile, certFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=gateway", "-addext", "subjectAltName=IP:127.0.0.1"];
  const options = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
  execFileSync("openssl", [...options, ...subject, "-keyout", keyFile, "-out", certFile], { stdio: "ignore" });
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse({ "tls.certFile": certFile, "tls.keyFile": keyFile });
  const block = { production: { url: `${upstream.url}/mcp` }, sandbox: { sameAs: "production" } };
  await gatehouse.put("McpServer", "tools", { context: "/tools", upstream: block });
  key = await keyFor(gatehouse, "tools");
  client = connect(gatehouse.running.gatewayUrl, { ca: readFileSync(certFile) });
  client.on("error", () => undefined);
});

afterAll(async () => {
  client.destroy();
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function open(method: "POST" | "GET", message?: object) {
  const stream = client.request({
    ":method": method,
    ":path": "/tools/mcp",
    accept: "application/json, text/event-stream",
    authorization: `Bearer ${key}`,
    "mcp-protocol-version": "2025-11-25",
    ...(message !== undefined && { "content-type": "application/json" }),
  });
  stream.setEncoding("utf8");
  stream.end(message === undefined ? undefined : JSON.stringify(message));
  return stream;
}

function finish(stream: ReturnType<typeof open>): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    let status = 0;
    let text = "";
    stream.on("response", (headers) => {
      status = Number(headers[":status"]);
    });
    stream.on("data", (piece: string) => {
      text += piece;
    });
    stream.on("error", reject);
    stream.on("end", () => resolve({ status, text }));
  });
}

test("calls and streams of one connection run side by side, and none gets another's answer", async () => {
  upstream.respond((request, response) => {
    const { id, params } = JSON.parse(String(request.body)) as { id: number; params: { name: string } }; // the test's own messages
    if (id % 2 === 0) return answering(params.name)(request, response);
    return events([
      sse({ jsonrpc: "2.0", method: "notifications/message", params: {} }),
      sse(textResult(id, params.name)),
    ])(request, response);
  });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, id) => finish(open("POST", toolCall("legacy", id, `tool-${id}`)))),
  );
  for (const [id, { status, text }] of answers.entries()) {
    expect(status).toBe(200);
    const last: unknown = id % 2 === 0 ? JSON.parse(text) : sseMessages(text).at(-1);
    expect(last).toEqual(textResult(id, `tool-${id}`));
  }
  const rows = (await gatehouse.events()).filter((row) => row.type === "exchange");
  expect(new Set(rows.map(({ protocol }) => protocol))).toEqual(new Set(["HTTP/2"]));
});

test("a standalone stream gives each event as it comes, and its reset frees the upstream within 100 ms", async () => {
  const event = sse({ jsonrpc: "2.0", method: "notifications/message", params: { n: 1 } });
  upstream.respond((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(event);
  });
  const stream = open("GET");
  stream.on("error", () => undefined);
  const first = await new Promise((resolve) => stream.once("data", resolve));
  expect(first).toBe(event);
  const leftAt = performance.now();
  stream.close(8); // CANCEL
  await upstream.seen.at(-1)?.aborted;
  expect(performance.now() - leftAt).toBeLessThan(100);
  upstream.respond(answering("still here"));
  expect((await finish(open("POST", toolCall("legacy", 1, "echo")))).text).toContain("still here");
});
