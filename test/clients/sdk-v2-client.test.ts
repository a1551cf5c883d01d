import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../conformance/fixture-server.ts";
import { startFixtureServer } from "../conformance/fixture-server.ts";
import type { PublishedServer } from "../gateway/mcp/published-server.ts";
import { publishServer } from "../gateway/mcp/published-server.ts";
import { eventually } from "../kit/eventually.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";

let gatehouse: TestGatehouse;
let fixture: FixtureServer;
let server: PublishedServer;
const open: Client[] = [];

beforeAll(async () => {
  fixture = await startFixtureServer();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "fixture", fixture.url);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});

type Mode = "legacy" | "auto" | { readonly pin: string };

async function connect(mode: Mode): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const client = new Client(
    { name: "test-client", version: "3.2.1" },
    { capabilities: { sampling: {}, elicitation: {}, roots: {} }, versionNegotiation: { mode } },
  );
  client.setRequestHandler("sampling/createMessage", () => ({
    model: "m",
    role: "assistant",
    content: { type: "text", text: "Paris" },
  }));
  client.setRequestHandler("elicitation/create", () => ({
    action: "accept",
    content: { name: "Ada", username: "ada", email: "ada@example.com", ok: true, color: "green" },
  }));
  client.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///work", name: "work" }] }));
  const transport = new StreamableHTTPClientTransport(new URL(server.url), {
    requestInit: { headers: { authorization: `Bearer ${server.key}` } },
  });
  await client.connect(transport);
  open.push(client);
  return { client, transport };
}

const modes: readonly { readonly name: string; readonly mode: Mode; readonly era: string }[] = [
  { name: "legacy", mode: "legacy", era: "legacy" },
  { name: "auto", mode: "auto", era: "modern" },
  { name: "pinned", mode: { pin: "2026-07-28" }, era: "modern" },
];

describe.each(modes)("the SDK's v2 client, $name", ({ mode, era }) => {
  test("settles on its era", async () => {
    const { client } = await connect(mode);
    expect(client.getProtocolEra()).toBe(era);
    expect(client.getServerVersion()?.name).toBe("gatehouse-conformance-fixture");
  });

  test("lists and calls tools, and tells a tool's failure from an error", async () => {
    const { client } = await connect(mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("echo");
    const echoed = await client.callTool({ name: "echo", arguments: { text: "grüße 🌍" } });
    expect(echoed.content).toEqual([{ type: "text", text: "grüße 🌍" }]);
    expect((await client.callTool({ name: "test_error_handling", arguments: {} })).isError).toBe(true);
    await expect(client.callTool({ name: "nope", arguments: {} })).rejects.toMatchObject({ code: -32_602 });
  });

  test("reads resources, gets prompts, completes arguments", async () => {
    const { client } = await connect(mode);
    const read = await client.readResource({ uri: "test://template/7/data" });
    expect(JSON.parse(String((read.contents[0] as { text: string }).text))).toMatchObject({ id: "7" }); // a text resource
    const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } });
    expect(prompt.messages).toHaveLength(1);
    const ref = { type: "ref/prompt" as const, name: "test_prompt_with_arguments" };
    const { completion } = await client.complete({ ref, argument: { name: "arg1", value: "par" } });
    expect(completion.values).toEqual(["paris", "park", "party"]);
  });

  test("hears of progress while a call runs", async () => {
    const { client } = await connect(mode);
    const heard: number[] = [];
    await client.callTool(
      { name: "test_tool_with_progress", arguments: {} },
      { onprogress: ({ progress }) => heard.push(progress) },
    );
    expect(heard).toEqual([0, 50, 100]);
  });

  test("answers what a server asks in the middle of a call", async () => {
    const { client } = await connect(mode);
    const asked = await client.callTool({ name: "test_input_required_result_multi_round", arguments: {} });
    expect(asked.content).toEqual([{ type: "text", text: "Done, in green." }]);
    const roots = await client.callTool({ name: "test_input_required_result_list_roots", arguments: {} });
    expect(JSON.stringify(roots.content)).toContain("file:///work");
  });

  test("gives up a call, and the upstream's work ends within 100 ms", async () => {
    const { client } = await connect(mode);
    const aborter = new AbortController();
    const call = client.callTool({ name: "work_until_stopped", arguments: {} }, { signal: aborter.signal });
    call.catch(() => undefined); // it is looked at below
    await eventually("the server works", () => fixture.working === 1);
    const leftAt = performance.now();
    aborter.abort();
    await eventually("the server's work has ended", () => fixture.working === 0);
    expect(performance.now() - leftAt).toBeLessThan(100);
    await expect(call).rejects.toThrow();
    await client.callTool({ name: "echo", arguments: { text: "still here" } });
  });
});

describe("the SDK's v2 client with a session", () => {
  test("is asked for samples and forms on the call's own stream", async () => {
    const { client } = await connect("legacy");
    const sampled = await client.callTool({ name: "test_sampling", arguments: { prompt: "Capital of France?" } });
    expect(sampled.content).toEqual([{ type: "text", text: "LLM response: Paris" }]);
    const asked = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
    expect(JSON.stringify(asked.content)).toContain("action=accept");
  });

  test("hears log lines from the level that it set", async () => {
    const { client } = await connect("legacy");
    const lines: unknown[] = [];
    client.setNotificationHandler("notifications/message", ({ params }) => void lines.push(params.data));
    await client.setLoggingLevel("debug");
    await client.callTool({ name: "test_tool_with_logging", arguments: {} });
    expect(lines).toEqual(["Tool execution started", "Tool processing data", "Tool execution completed"]);
  });

  test("hears on the standalone stream that a resource it watches has changed", async () => {
    const { client } = await connect("legacy");
    const uris: string[] = [];
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => void uris.push(params.uri));
    await client.subscribeResource({ uri: "test://watched-resource" });
    await eventually("the news came", async () => {
      await fixture.resourceUpdated("test://watched-resource");
      return uris.length > 0;
    });
    expect(new Set(uris)).toEqual(new Set(["test://watched-resource"]));
  });

  test("comes back for the answer of a stream that the server closed", async () => {
    const { client } = await connect("legacy");
    const answer = await client.callTool({ name: "test_reconnection", arguments: {} });
    expect(JSON.stringify(answer.content)).toContain("opened again");
  });

  test("ends its session, upstream too", async () => {
    const before = fixture.sessions;
    const { transport } = await connect("legacy");
    expect(fixture.sessions).toBe(before + 1);
    await transport.terminateSession();
    expect(fixture.sessions).toBe(before);
  });
});

describe("the SDK's v2 client without sessions", () => {
  test("listens for changes, and only for those that it asked for", async () => {
    const { client } = await connect({ pin: "2026-07-28" });
    const heard: string[] = [];
    client.setNotificationHandler("notifications/tools/list_changed", () => void heard.push("tools"));
    client.setNotificationHandler("notifications/prompts/list_changed", () => void heard.push("prompts"));
    const subscription = await client.listen({ toolsListChanged: true });
    expect(subscription.honoredFilter.toolsListChanged).toBe(true);
    await client.callTool({ name: "test_trigger_prompt_change", arguments: {} });
    await client.callTool({ name: "test_trigger_tool_change", arguments: {} });
    await eventually("the news came", () => heard.length > 0);
    await subscription.close();
    expect(heard).toEqual(["tools"]);
  });

  test("mirrors arguments into headers, in whatever script", async () => {
    const { client } = await connect({ pin: "2026-07-28" });
    await client.listTools();
    const answer = await client.callTool({ name: "test_mirrored_argument", arguments: { region: "Łódź " } });
    expect(answer.content).toEqual([{ type: "text", text: "Region: Łódź " }]);
  });
});

test("without a key it is told to authenticate", async () => {
  const client = new Client({ name: "t", version: "1" });
  await expect(client.connect(new StreamableHTTPClientTransport(new URL(server.url)))).rejects.toThrow(
    /401|[Uu]nauthorized|key/,
  );
});
