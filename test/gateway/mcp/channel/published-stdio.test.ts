import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { putSecret } from "../../../../src/core/secrets.ts";
import { eventually } from "../../../kit/eventually.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../../kit/gatehouse.ts";
import type { PublishedServer, RpcAnswer } from "../published-server.ts";
import { publishServer, rpcOf, sseMessages, toolCall } from "../published-server.ts";

const script = join(import.meta.dirname, "stdio-fixture.ts");
const commands = {
  fixture: { command: process.execPath, args: [script], env: { TOKEN: "${secret:fixture-token}" }, inherit: [] },
};

let gatehouse: TestGatehouse;
let server: PublishedServer;

beforeAll(async () => {
  gatehouse = await startTestGatehouse({ "mcp.stdio": JSON.stringify(commands) });
  await putSecret(gatehouse.running.context, testActor, { name: "fixture-token", value: "canary" });
  const upstream = { url: undefined, stdio: "fixture" };
  server = await publishServer(gatehouse, "files", "http://unused.example", { upstream });
});

afterAll(() => gatehouse[Symbol.asyncDispose]());

async function call(era: "legacy" | "modern", name: string, args: object = {}): Promise<string> {
  const headers = era === "legacy" ? { "mcp-session-id": await begin() } : {};
  const answer = await server.post(toolCall(era, 7, name, args), { era, headers });
  const isStream = String(answer.headers["content-type"]).startsWith("text/event-stream");
  const { result, error } = isStream ? (sseMessages(answer.text).at(-1) as RpcAnswer) : rpcOf(answer);
  const [content] = (result?.["content"] ?? []) as { text: string }[]; // as the fixture answers
  return content?.text ?? `${error?.code} ${error?.message}`;
}

async function begin(): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } };
  const answer = await server.post({ jsonrpc: "2.0", id: 1, method: "initialize", params });
  return String(answer.headers["mcp-session-id"]);
}

test.each(["legacy", "modern"] as const)("a %s client calls a server on its standard streams", async (era) => {
  expect(await call(era, "echo", { words: `hello ${era}` })).toBe(`hello ${era}`);
});

test("a command that nobody has allowed is refused at publish, with the name that was meant", async () => {
  const upstream = { production: { stdio: "fixtures" }, sandbox: { sameAs: "production" } };
  const put = gatehouse.put("McpServer", "other", { context: "/other", upstream });
  await expect(put).rejects.toMatchObject({
    issues: [{ message: expect.stringContaining('did you mean "fixture"') as unknown }],
  });
});

test.each([
  { name: "a command of its own", block: { command: "sh", args: ["-c", "id"] } },
  { name: "a command in place of a name", block: { stdio: "sh -c id" } },
  { name: "a path in place of a name", block: { stdio: "/bin/sh" } },
  { name: "a URL beside a command", block: { stdio: "fixture", url: "https://example.com/mcp" } },
  { name: "a credential beside a command", block: { stdio: "fixture", auth: { secret: "${secret:x}" } } },
  { name: "the stateless era", block: { stdio: "fixture", era: "modern" } },
  { name: "neither", block: {} },
])("a resource that says $name is refused", async ({ block }) => {
  const upstream = { production: block, sandbox: { sameAs: "production" } };
  const put = gatehouse.put("McpServer", "bad", { context: "/bad", upstream });
  await expect(put).rejects.toMatchObject({ code: "resource.invalid" });
});

test("a publish that changes nothing of it leaves its process alone, and stopping the gateway ends it", async () => {
  await using own = await startTestGatehouse({
    "mcp.stdio": JSON.stringify({ fixture: { ...commands.fixture, env: {} } }),
  });
  const published = await publishServer(own, "files", "", { upstream: { url: undefined, stdio: "fixture" } });
  const pid = async () => {
    const answer = await published.post(toolCall("modern", 1, "pid"), { era: "modern" });
    const [content] = (rpcOf(answer).result?.["content"] ?? []) as { text: string }[]; // as the fixture answers
    return Number(content?.text);
  };
  const before = await pid();
  await publishServer(own, "second", "http://127.0.0.1:9/mcp");
  expect(await pid()).toBe(before);
  await own.running[Symbol.asyncDispose]();
  await eventually("it has gone", () => {
    try {
      process.kill(before, 0);
      return false;
    } catch {
      return true;
    }
  });
});

test("its environment holds the value of the secret that the configuration names, and nothing else", async () => {
  expect(JSON.parse(await call("modern", "env"))).toEqual({ TOKEN: "canary" });
});
