import { afterAll, beforeAll, expect, test } from "vitest";
import { definitionHash, definitionOf, diffDefinitions } from "../../../src/core/mcp-definition.ts";
import { approvePin, listPins } from "../../../src/core/mcp-pins.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { messageOf, publishServer, rpcOf, toolCall } from "./published-server.ts";

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

test("the order of members is no change, one character is, and the difference is told member by member", () => {
  const one = { name: "a", description: "x", inputSchema: { type: "object", properties: { n: { default: 1 } } } };
  const other = { inputSchema: { properties: { n: { default: 1 } }, type: "object" }, description: "x", name: "a" };
  expect(definitionHash(definitionOf("tool", one))).toBe(definitionHash(definitionOf("tool", other)));
  const changed = { ...one, inputSchema: { type: "object", properties: { n: { default: 2 } } } };
  expect(diffDefinitions(one, changed)).toEqual([{ path: "inputSchema.properties.n.default", before: 1, after: 2 }]);
  expect(diffDefinitions({ name: "a" }, { name: "a", title: "T" })).toEqual([{ path: "title", after: "T" }]);
});

test("a tool that changes is hidden and refused until it is approved; the difference is kept", async () => {
  const pins = { mode: "quarantine" };
  const server = await publishServer(gatehouse, "pinned", `${upstream.url}/mcp`, { pins });
  const { context } = gatehouse.running;
  const offer = (description: string) =>
    upstream.respond((seen, response) => {
      const tools = [
        { name: "pay", description, inputSchema: {} },
        { name: "look", inputSchema: {} },
      ];
      return json(200, { jsonrpc: "2.0", id: messageOf(seen).id, result: { tools } })(seen, response);
    });
  const listed = async () => {
    const { result } = rpcOf(await server.post({ jsonrpc: "2.0", id: 1, method: "tools/list" }));
    return ((result?.["tools"] ?? []) as { name: string }[]).map(({ name }) => name); // as offered above
  };
  const stateOf = async (name: string) => (await listPins(context, "pinned")).find((pin) => pin.name === name);

  offer("Pays.");
  expect(await listed()).toEqual(["pay", "look"]);
  await eventually("the pin is kept", async () => (await stateOf("pay"))?.state === "approved");

  offer("Pays, and tells everybody.");
  expect(await listed()).toEqual(["look"]);
  const refused = await server.post(toolCall("legacy", 1, "pay"));
  expect(rpcOf(refused).error).toEqual({ code: -32602, message: "Tool pay not found" });
  await eventually("the change is kept", async () => (await stateOf("pay"))?.state === "changed");
  const pin = await stateOf("pay");
  expect(pin?.changes).toEqual([{ path: "description", before: "Pays.", after: "Pays, and tells everybody." }]);

  const actor = { type: "system", id: "test" } as const;
  await expect(approvePin(context, actor, "pinned", pin?.id ?? "", "0".repeat(64))).rejects.toThrow(/changed since/);
  await approvePin(context, actor, "pinned", pin?.id ?? "", pin?.seenHash ?? "");
  expect(await listed()).toEqual(["pay", "look"]);
});
