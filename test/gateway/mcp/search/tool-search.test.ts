import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { manyTools } from "../../../kit/many-tools.ts";
import type { PublishedServer } from "../published-server.ts";
import { keyFor, publishServer, rpcOf, toolCall } from "../published-server.ts";
import type { SmallServer } from "../virtual/small-server.ts";
import { startSmallServer } from "../virtual/small-server.ts";
import { connect, publishVirtual } from "../virtual/virtual-kit.ts";

interface Found {
  readonly tools: readonly { readonly name: string; readonly inputSchema: object; readonly score: number }[];
  readonly total: number;
}

async function find(client: Client, query: unknown, limit?: unknown): Promise<Found> {
  const result = await client.callTool({
    name: "search_tools",
    arguments: { query, ...(limit !== undefined && { limit }) },
  });
  const found: unknown = result.structuredContent;
  return found as Found; // what the gateway answers
}

const namesOf = ({ tools }: Found): readonly string[] => tools.map(({ name }) => name);

const authorization = {
  default: "allow",
  hidden: true,
  rules: [{ id: "no-deleting", on: { tools: ["delete_*"] }, scopes: ["nobody:has"] }],
};

describe.each(["legacy", "modern"] as const)("a server whose tools are searched, for a %s client", (era) => {
  let gatehouse: TestGatehouse;
  let small: SmallServer;
  let client: Client;
  let server: Awaited<ReturnType<typeof publishServer>>;

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    small = await startSmallServer("small");
    for (const { name, parameters } of manyTools(60)) small.tools.set(name, parameters);
    server = await publishServer(gatehouse, "small", small.url, {
      toolSearch: { limit: 5, alwaysList: ["list_*"] },
      authorization,
    });
    client = await connect(server, era);
  });

  afterAll(async () => {
    await client.close();
    await gatehouse[Symbol.asyncDispose]();
    await small[Symbol.asyncDispose]();
  });

  test("lists two tools and what is always listed", async () => {
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names.slice(0, 2)).toEqual(["search_tools", "call_tool"]);
    expect(names.slice(2)).toHaveLength(6);
    expect(names.slice(2).every((name) => name.startsWith("list_"))).toBe(true);
  });

  test("finds a tool by what it does, with its schema", async () => {
    const found = await find(client, "I want to cancel a flight");
    expect(namesOf(found)[0]).toBe("cancel_flight");
    expect(found.tools[0]?.inputSchema).toMatchObject({ required: ["id"] });
    expect(found.tools).toHaveLength(5);
    expect(namesOf(await find(client, "I want to cancel a flight", 2))).toHaveLength(2);
    expect(namesOf(await find(client, "I want to cancel a flight", 50))).toHaveLength(5);
  });

  test("neither finds nor counts what the caller may not call", async () => {
    const found = await find(client, "delete the flight");
    expect(namesOf(found).some((name) => name.startsWith("delete_"))).toBe(false);
    expect(found.total).toBe(54);
  });

  test("calls what was found", async () => {
    const before = small.calls.length;
    const result = await client.callTool({
      name: "call_tool",
      arguments: { name: "cancel_flight", arguments: { id: "7" } },
    });
    expect(result.content).toEqual([{ type: "text", text: 'small/cancel_flight {"id":"7"}' }]);
    expect(small.calls.slice(before)).toEqual([{ name: "cancel_flight", given: { id: "7" } }]);
  });

  test("answers a call of a hidden tool by call_tool as a direct one, and as one that is not there", async () => {
    const before = small.calls.length;
    const call = async (name: string, args: object): Promise<string> => {
      const answer = rpcOf(await server.post(toolCall(era, 9, name, args), { era }));
      return JSON.stringify(answer).replaceAll(/(?:delete_flight|no_such)/g, "X");
    };
    const direct = await call("delete_flight", { id: "1" });
    expect(direct).toContain("Tool X not found");
    expect(await call("call_tool", { name: "delete_flight", arguments: { id: "1" } })).toBe(direct);
    expect(small.calls).toHaveLength(before);
  });

  test("leads nobody in circles", async () => {
    for (const name of ["call_tool", "search_tools"]) {
      const answer = rpcOf(await server.post(toolCall(era, 9, "call_tool", { name, arguments: {} }), { era }));
      expect(answer.error?.message).toBe(`Tool ${name} not found`);
    }
  });

  test.each([
    { given: {}, why: "`name`" },
    { given: { name: 7 }, why: "`name`" },
    { given: { name: "cancel_flight", arguments: "id=1" }, why: "`arguments`" },
  ])("refuses call_tool with $given", async ({ given, why }) => {
    const answer = rpcOf(await server.post(toolCall(era, 9, "call_tool", given), { era }));
    expect(answer.error).toMatchObject({ code: -32_602, message: expect.stringContaining(why) as unknown });
  });

  test.each([
    { given: {} },
    { given: { query: "" } },
    { given: { query: 7 } },
    { given: { query: "x", limit: 0 } },
    { given: { query: "x", limit: "all" } },
  ])("refuses search_tools with $given", async ({ given }) => {
    await expect(client.callTool({ name: "search_tools", arguments: given })).rejects.toMatchObject({ code: -32_602 });
  });
});

describe("what holds for a tool", () => {
  const post = (server: PublishedServer, message: object | string, key = server.key) =>
    server.post(message, { era: "modern", key });

  let gatehouse: TestGatehouse;
  let small: SmallServer;

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    small = await startSmallServer("small", ["pay_bill", "read_bill"]);
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await small[Symbol.asyncDispose]();
  });

  const viaMeta = (name: string, args: object): object => toolCall("modern", 1, "call_tool", { name, arguments: args });

  test("holds for it by call_tool: a key's bounds, its limits and its guardrails", async () => {
    const server = await publishServer(gatehouse, "bounded", small.url, {
      toolSearch: {},
      policies: [
        { use: "quota", with: { windows: [{ requests: 1, window: "day" }] }, on: ["pay_bill"] },
        { use: "regex", with: { patterns: [{ pattern: "secret" }], phases: ["request"] }, on: ["read_bill"] },
      ],
    });
    expect(rpcOf(await post(server, viaMeta("pay_bill", {}))).result).toBeDefined();
    expect((await post(server, viaMeta("pay_bill", {}))).status).toBe(429);
    expect((await post(server, toolCall("modern", 2, "pay_bill"))).status).toBe(429);
    expect((await post(server, viaMeta("read_bill", { note: "a secret" }))).status).toBe(422);
    const key = await keyFor(gatehouse, "bounded", { allow: ["read_*"] });
    const answer = rpcOf(await post(server, viaMeta("pay_bill", {}), key));
    expect(answer.error?.message).toBe("Tool pay_bill not found");
    const found = rpcOf(await post(server, toolCall("modern", 3, "search_tools", { query: "bill" }), key));
    expect(found.result?.["structuredContent"]).toMatchObject({ tools: [{ name: "read_bill" }], total: 1 });
  });

  test("rows name the tool that was called, and call a search one", async () => {
    const server = await publishServer(gatehouse, "rows", small.url, { toolSearch: {} });
    const called = await post(server, viaMeta("read_bill", {}));
    const searched = await post(server, toolCall("modern", 1, "search_tools", { query: "bill" }));
    const rows = await gatehouse.events();
    const rowOf = (id: unknown) => rows.find((row) => row.type === "exchange" && row.exchange_id === id);
    expect(rowOf(called.headers["x-request-id"])).toMatchObject({
      operation_kind: "tools/call",
      operation_name: "read_bill",
    });
    expect(rowOf(searched.headers["x-request-id"])).toMatchObject({ operation_kind: "tools/search", outcome: "ok" });
  });

  test("with `list: all` the server's own tools are listed besides", async () => {
    const server = await publishServer(gatehouse, "all", small.url, { toolSearch: { list: "all" } });
    const client = await connect(server, "legacy");
    const { tools } = await client.listTools();
    await client.close();
    expect(tools.map(({ name }) => name)).toEqual(["search_tools", "call_tool", "pay_bill", "read_bill"]);
  });

  test("a virtual server may be searched, and has all tools of members that are searched themselves", async () => {
    await publishServer(gatehouse, "member", small.url, { toolSearch: {} });
    const virtual = await publishVirtual(gatehouse, "both", { servers: [{ server: "member" }] }, { toolSearch: {} });
    const client = await connect(virtual, "modern");
    const found = await find(client, "pay a bill");
    expect(namesOf(found)[0]).toBe("member_pay_bill");
    expect(found.total).toBe(2);
    const called = await client.callTool({ name: "call_tool", arguments: { name: "member_pay_bill" } });
    await client.close();
    expect(called.content).toEqual([{ type: "text", text: "small/pay_bill {}" }]);
  });

  test("a server of its own tools of those names is asked by nobody: the gateway's come first", async () => {
    const odd = await startSmallServer("odd", ["search_tools", "call_tool", "other"]);
    const server = await publishServer(gatehouse, "odd", odd.url, { toolSearch: {} });
    const found = rpcOf(await post(server, toolCall("modern", 1, "search_tools", { query: "search" })));
    expect(found.result?.["structuredContent"]).toMatchObject({ total: 1 });
    await post(server, viaMeta("call_tool", {}));
    expect(odd.calls).toEqual([]);
    await odd[Symbol.asyncDispose]();
  });

  test("without a search the names are the server's", async () => {
    const odd = await startSmallServer("odd", ["call_tool"]);
    const server = await publishServer(gatehouse, "plain", odd.url);
    await post(server, toolCall("modern", 1, "call_tool", { name: "pay_bill" }));
    expect(odd.calls).toMatchObject([{ name: "call_tool" }]);
    await odd[Symbol.asyncDispose]();
  });
});
