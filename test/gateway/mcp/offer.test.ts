import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { publishServer, toolCall } from "./published-server.ts";
import type { SmallServer } from "./virtual/small-server.ts";
import { startSmallServer } from "./virtual/small-server.ts";
import { connect, publishVirtual } from "./virtual/virtual-kit.ts";

const findSchema = {
  type: "object",
  properties: { region: { type: "string" }, limit: { type: "integer" } },
  required: ["region"],
};

const offer = {
  tools: [
    {
      name: "find",
      as: "search",
      title: "Search",
      description: "Looks for things.",
      annotations: { readOnlyHint: true },
      arguments: { region: { value: "eu", fixed: true }, limit: { value: 10 } },
    },
    { name: "erase", hidden: true },
    { match: "list_*" },
  ],
  prompts: [{ name: "ask", as: "question" }],
  resources: [{ match: "note:///public/*", description: "For all." }],
};

describe.each(["legacy", "modern"] as const)("a server of which a part is offered, for a %s client", (era) => {
  let gatehouse: TestGatehouse;
  let small: SmallServer;
  let client: Client;
  let key = "";

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    small = await startSmallServer("small", ["erase", "list_all", "later"]);
    small.tools.set("find", findSchema);
    for (const prompt of ["ask", "order"]) small.prompts.add(prompt);
    for (const uri of ["note:///public/1", "note:///secret"]) small.resources.add(uri);
    const server = await publishServer(gatehouse, "small", small.url, { offer });
    key = server.key;
    client = await connect(server, era);
  });

  afterAll(async () => {
    await client.close();
    await gatehouse[Symbol.asyncDispose]();
    await small[Symbol.asyncDispose]();
  });

  test("lists that part, in the words that were given", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(["list_all", "search"]);
    expect(tools.find(({ name }) => name === "search")).toMatchObject({
      title: "Search",
      description: "Looks for things.",
      annotations: { readOnlyHint: true },
      inputSchema: { properties: { limit: { type: "integer", default: 10 } }, required: [] },
    });
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["question"]);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri, description }) => ({ uri, description }))).toEqual([
      { uri: "note:///public/1", description: "For all." },
    ]);
  });

  test("is called by the new name, with what is fixed and what is left out", async () => {
    small.calls.length = 0;
    await client.callTool({ name: "search", arguments: { region: "us" } });
    await client.callTool({ name: "search", arguments: { limit: 3 } });
    expect(small.calls).toEqual([
      { name: "find", given: { region: "eu", limit: 10 } },
      { name: "find", given: { region: "eu", limit: 3 } },
    ]);
    const prompt = await client.getPrompt({ name: "question" });
    expect(JSON.stringify(prompt.messages)).toContain("small/ask");
    const read = await client.readResource({ uri: "note:///public/1" });
    expect(JSON.stringify(read.contents)).toContain("small has note:///public/1");
  });

  test("answers for the rest as for what is not there", async () => {
    small.calls.length = 0;
    for (const name of ["find", "erase", "later", "never_was"]) {
      await expect(client.callTool({ name, arguments: {} })).rejects.toThrow(`Tool ${name} not found`);
    }
    await expect(client.getPrompt({ name: "ask" })).rejects.toThrow("Prompt ask not found");
    await expect(client.getPrompt({ name: "order" })).rejects.toThrow("Prompt order not found");
    await expect(client.readResource({ uri: "note:///secret" })).rejects.toThrow("note:///secret not found");
    expect(small.calls).toEqual([]);
  });

  test("keeps what appears later to itself", async () => {
    small.tools.set("brand_new", { type: "object", properties: {} });
    small.tools.set("list_more", { type: "object", properties: {} });
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("list_more");
    expect(names).not.toContain("brand_new");
  });

  test("is a part of a virtual server as it is offered, whose own offer comes on top", async () => {
    const virtual = { servers: [{ server: "small" }] };
    const own = { tools: [{ name: "small_search", as: "find_things" }] };
    const both = await connect(await publishVirtual(gatehouse, "both", virtual, { offer: own }), era);
    expect((await both.listTools()).tools.map(({ name }) => name)).toEqual(["find_things"]);
    small.calls.length = 0;
    await both.callTool({ name: "find_things", arguments: {} });
    expect(small.calls).toEqual([{ name: "find", given: { region: "eu", limit: 10 } }]);
    await expect(both.callTool({ name: "small_search", arguments: {} })).rejects.toThrow("not found");
    await expect(both.callTool({ name: "small_erase", arguments: {} })).rejects.toThrow("not found");
    await both.close();
  });

  test("is authorized by the names that clients know", async () => {
    const authorization = { rules: [{ on: { tools: ["search"] }, applications: ["nobody"] }] };
    const upstream = { production: { url: small.url }, sandbox: { sameAs: "production" } };
    await gatehouse.put("McpServer", "small", { context: "/small", upstream, offer, authorization });
    const guarded = await connect({ url: `${gatehouse.running.gatewayUrl}/small/mcp`, key }, era);
    expect((await guarded.listTools()).tools.map(({ name }) => name)).not.toContain("search");
    await expect(guarded.callTool({ name: "search", arguments: {} })).rejects.toThrow();
    await guarded.close();
  });
});

test("headers that repeat a name name what the upstream knows", async () => {
  await using gatehouse = await startTestGatehouse();
  await using small = await startSmallServer("small");
  const region = { type: "string", "x-mcp-header": "Region" };
  small.tools.set("find", { type: "object", properties: { region } });
  const tools = [{ name: "find", as: "search", arguments: { region: { value: "eu", fixed: true } } }];
  const server = await publishServer(gatehouse, "small", small.url, { offer: { tools } });
  const answer = await server.post(toolCall("modern", 1, "search"), { era: "modern" });
  expect(answer.status).toBe(200); // the server refuses headers that do not agree with its message
  expect(small.calls).toEqual([{ name: "find", given: { region: "eu" } }]);
});
