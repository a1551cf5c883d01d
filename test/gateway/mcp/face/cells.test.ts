import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { McpEra } from "../../../../src/mcp/wire/legacy.ts";
import { eventually } from "../../../kit/eventually.ts";
import type { Bridge } from "./bridge-kit.ts";
import { startBridge } from "./bridge-kit.ts";

interface Cell {
  readonly client: McpEra;
  readonly server: McpEra;
  readonly upstream: object;
}

const always = { bridge: { mode: "always" } };

/** All four, those of one era too: there by the bridge rather than the relay. */
const cells: readonly Cell[] = [
  { client: "legacy", server: "modern", upstream: {} },
  { client: "modern", server: "legacy", upstream: { bridge: { park: true } } },
  { client: "legacy", server: "legacy", upstream: always },
  { client: "modern", server: "modern", upstream: always },
];

describe.each(cells)("a $client client and a $server server", ({ client: era, server, upstream }) => {
  let bridge: Bridge;
  let client: Client;

  beforeAll(async () => {
    bridge = await startBridge(server, upstream);
    client = await bridge.client(era);
  });

  afterAll(() => bridge[Symbol.asyncDispose]());

  test("the client hears the server's own name and speaks its own era", () => {
    expect(client.getProtocolEra()).toBe(era);
    expect(client.getServerVersion()?.name).toBe("gatehouse-conformance-fixture");
    expect(client.getServerCapabilities()?.tools).toBeDefined();
  });

  test("lists and calls tools, and tells a tool's failure from an error", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("echo");
    const echoed = await client.callTool({ name: "echo", arguments: { text: "grüße 🌍" } });
    expect(echoed.content).toEqual([{ type: "text", text: "grüße 🌍" }]);
    expect((await client.callTool({ name: "test_error_handling", arguments: {} })).isError).toBe(true);
    await expect(client.callTool({ name: "nope", arguments: {} })).rejects.toMatchObject({ code: -32_602 });
  });

  test("reads resources and templates, gets prompts, completes arguments", async () => {
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain("test://static-text");
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates).toHaveLength(1);
    const read = await client.readResource({ uri: "test://template/7/data" });
    expect(JSON.stringify(read.contents)).toContain("Data for ID: 7");
    const { prompts } = await client.listPrompts();
    expect(prompts.length).toBeGreaterThan(0);
    const given = { arg1: "a", arg2: "b" };
    const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: given });
    expect(prompt.messages).toHaveLength(1);
    const ref = { type: "ref/prompt" as const, name: "test_prompt_with_arguments" };
    const { completion } = await client.complete({ ref, argument: { name: "arg1", value: "par" } });
    expect(completion.values).toEqual(["paris", "park", "party"]);
  });

  test("hears of progress while a call runs, under its own token", async () => {
    const heard: number[] = [];
    await client.callTool(
      { name: "test_tool_with_progress", arguments: {} },
      { onprogress: ({ progress }) => heard.push(progress) },
    );
    expect(heard).toEqual([0, 50, 100]);
  });

  test("is asked for a form, a sample and roots, also in several rounds", async () => {
    const sampled = await client.callTool({ name: "test_sampling", arguments: { prompt: "Capital of France?" } });
    expect(sampled.content).toEqual([{ type: "text", text: "LLM response: Paris" }]);
    const asked = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
    expect(JSON.stringify(asked.content)).toContain("action=accept");
    const rounds = await client.callTool({ name: "test_input_required_result_multi_round", arguments: {} });
    expect(rounds.content).toEqual([{ type: "text", text: "Done, in green." }]);
    const roots = await client.callTool({ name: "test_input_required_result_list_roots", arguments: {} });
    expect(JSON.stringify(roots.content)).toContain("file:///work");
  });

  test("gives up a call, and the server's work ends within 100 ms", async () => {
    const aborter = new AbortController();
    const call = client.callTool({ name: "work_until_stopped", arguments: {} }, { signal: aborter.signal });
    call.catch(() => undefined); // it is looked at below
    await eventually("the server works", () => bridge.fixture.working === 1);
    const leftAt = performance.now();
    aborter.abort();
    await eventually("the server's work has ended", () => bridge.fixture.working === 0);
    expect(performance.now() - leftAt).toBeLessThan(100);
    await expect(call).rejects.toThrow();
    await client.callTool({ name: "echo", arguments: { text: "still here" } });
  });

  test("two hundred calls of two clients with equal ids come back to whom they belong", async () => {
    const other = await bridge.client(era, { name: "other-client" });
    const call = async (from: Client, text: string): Promise<void> => {
      const { content } = await from.callTool({ name: "echo", arguments: { text } });
      expect(content).toEqual([{ type: "text", text }]);
    };
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    await Promise.all(numbers.flatMap((n) => [call(client, `first ${n}`), call(other, `second ${n}`)]));
  });
});

describe.each(cells.filter(({ client }) => client === "legacy"))(
  "a client with a session and a $server server",
  ({ server, upstream }) => {
    let bridge: Bridge;
    let client: Client;

    beforeAll(async () => {
      bridge = await startBridge(server, upstream);
      client = await bridge.client("legacy");
    });

    afterAll(() => bridge[Symbol.asyncDispose]());

    test("hears log lines from the level that it set", async () => {
      const lines: unknown[] = [];
      client.setNotificationHandler("notifications/message", ({ params }) => void lines.push(params.data));
      await client.setLoggingLevel("debug");
      await client.callTool({ name: "test_tool_with_logging", arguments: {} });
      expect(lines).toEqual(["Tool execution started", "Tool processing data", "Tool execution completed"]);
    });

    test("hears on its standalone stream what has changed, and of a resource that it watches", async () => {
      const heard: string[] = [];
      client.setNotificationHandler("notifications/tools/list_changed", () => void heard.push("tools"));
      client.setNotificationHandler("notifications/resources/updated", ({ params }) => void heard.push(params.uri));
      await client.subscribeResource({ uri: "test://watched-resource" });
      await eventually("news of the resource came", async () => {
        await bridge.fixture.resourceUpdated("test://watched-resource");
        return heard.length > 0;
      });
      await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
      await eventually("news of the tools came", () => heard.includes("tools"));
      await client.unsubscribeResource({ uri: "test://watched-resource" });
      heard.length = 0;
      await bridge.fixture.resourceUpdated("test://watched-resource");
      await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
      await eventually("later news came", () => heard.includes("tools"));
      expect(heard).not.toContain("test://watched-resource");
    });
  },
);

describe.each(cells.filter(({ client }) => client === "modern"))(
  "a client without sessions and a $server server",
  ({ server, upstream }) => {
    let bridge: Bridge;
    let client: Client;

    beforeAll(async () => {
      bridge = await startBridge(server, upstream);
      client = await bridge.client("modern");
    });

    afterAll(() => bridge[Symbol.asyncDispose]());

    test("listens for changes, and hears those that it asked for and no others", async () => {
      const heard: string[] = [];
      client.setNotificationHandler("notifications/tools/list_changed", () => void heard.push("tools"));
      client.setNotificationHandler("notifications/prompts/list_changed", () => void heard.push("prompts"));
      client.setNotificationHandler("notifications/resources/updated", ({ params }) => void heard.push(params.uri));
      const filter = { toolsListChanged: true, resourceSubscriptions: ["test://watched-resource"] };
      const subscription = await client.listen(filter);
      expect(subscription.honoredFilter).toEqual(filter);
      await client.callTool({ name: "test_trigger_prompt_change", arguments: {} });
      await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
      await bridge.fixture.resourceUpdated("test://watched-resource");
      await eventually("the news came", () => heard.length > 1);
      await subscription.close();
      expect(heard.toSorted()).toEqual(["test://watched-resource", "tools"]);
    });

    test("hears log lines only where it asks for them", async () => {
      const lines: unknown[] = [];
      client.setNotificationHandler("notifications/message", ({ params }) => void lines.push(params.data));
      await client.callTool({ name: "test_tool_with_logging", arguments: {} });
      expect(lines).toEqual([]);
      const _meta = { "io.modelcontextprotocol/logLevel": "debug" };
      await client.callTool({ name: "test_tool_with_logging", arguments: {}, _meta });
      expect(lines).toEqual(["Tool execution started", "Tool processing data", "Tool execution completed"]);
    });
  },
);
