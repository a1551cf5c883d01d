import { afterEach, beforeEach, expect, test } from "vitest";
import { sessions } from "../gateway/mcp/face/session-server.ts";
import { answering, toolCall } from "../gateway/mcp/published-server.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import type { Processes } from "./plane-processes.ts";
import { addToken, newKey, openProcesses, put } from "./plane-processes.ts";

let processes: Processes;

beforeEach(async () => {
  processes = await openProcesses();
});
afterEach(() => processes[Symbol.asyncDispose]());

const firstKey = "a1".repeat(32);
const initialize = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } },
};

test("a session goes on at another gateway, is nobody else's there, and outlives a new encryption key", async () => {
  const { upstream } = processes;
  upstream.respond(sessions(answering("fine")));
  const control = await processes.startControl({ GATEHOUSE_ENCRYPTION_KEY: firstKey });
  const ways = ["auto", "always"] as const;
  for (const mode of ways) {
    const block = { url: `${upstream.url}/mcp`, era: "legacy", bridge: { mode } };
    const spec = { context: `/${mode}`, upstream: { production: block, sandbox: { sameAs: "production" } } };
    await put(control, "/mcp-servers", { metadata: { name: mode }, spec });
    expect((await control.control("POST", `/mcp-servers/${mode}/publish`)).status).toBeLessThan(300);
  }
  const keyOf = async (mode: string, name: string): Promise<string> =>
    (await newKey(control, `${mode}-${name}`, { api: { kind: "McpServer", name: mode } })).key;
  const keys = await Promise.all(
    ways.map(async (mode) => [await keyOf(mode, "own"), await keyOf(mode, "other")] as const),
  );
  const one = await processes.startGateway("one", control, { token: await addToken(control) });
  const two = await processes.startGateway("two", control, { token: await addToken(control) });

  const post = (gateway: GatehouseProcess, mode: string, key: string, message: object, session?: string) =>
    fetch(`${gateway.gatewayUrl}/${mode}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(session !== undefined && { "mcp-session-id": session }),
      },
      body: JSON.stringify(message),
    });
  const opened: (readonly [mode: string, key: string, other: string, session: string])[] = [];
  for (const [at, mode] of ways.entries()) {
    const [key = "", other = ""] = keys[at] ?? [];
    const begun = await post(one, mode, key, initialize);
    opened.push([mode, key, other, begun.headers.get("mcp-session-id") ?? ""]);
  }
  const call = toolCall("legacy", 1, "echo");
  for (const [mode, key, other, session] of opened) {
    expect([mode, (await post(two, mode, key, call, session)).status]).toEqual([mode, 200]);
    expect([mode, (await post(two, mode, other, call, session)).status]).toEqual([mode, 404]);
  }

  // Session ids are sealed by a key of the installation's pepper, which stays when what seals the pepper is replaced.
  await control.end("SIGTERM");
  await two.end("SIGTERM");
  const renewed = await processes.startControl({
    GATEHOUSE_ENCRYPTION_KEY: "",
    GATEHOUSE_ENCRYPTION_KEYS: `next:${"d4".repeat(32)},${firstKey}`,
  });
  await renewed.control("POST", "/encryption/rotate", {});
  await eventually("the end of the rotation", async () => {
    const { text } = await renewed.control("GET", "/encryption");
    return text.includes('"done"');
  });
  const again = await processes.startGateway("two", renewed);
  for (const [mode, key, , session] of opened) {
    expect([mode, (await post(again, mode, key, call, session)).status]).toEqual([mode, 200]);
  }
}, 60_000);
