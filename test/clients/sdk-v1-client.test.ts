import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../conformance/fixture-server.ts";
import { startFixtureServer } from "../conformance/fixture-server.ts";
import type { PublishedServer } from "../gateway/mcp/published-server.ts";
import { publishServer } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import { clientsAreInstalled } from "./install-clients.ts";
import type { LegacyClient } from "./legacy-client.ts";
import { connectLegacyClient } from "./legacy-client.ts";

let gatehouse: TestGatehouse;
let fixture: FixtureServer;
let server: PublishedServer;

/** Its own era, and a server that has no sessions. */
const servers = [
  { name: "and a server of both eras", options: {} },
  { name: "and a server of 2026-07-28", options: { era: "modern" } },
] as const;

describe.skipIf(!clientsAreInstalled()).each(servers)("the SDK's 1.x client $name", ({ options }) => {
  let client: LegacyClient;

  beforeAll(async () => {
    fixture = await startFixtureServer(options);
    gatehouse = await startTestGatehouse();
    server = await publishServer(gatehouse, "fixture", fixture.url);
    client = await connectLegacyClient(server.url, server.key);
  });

  afterAll(async () => {
    await client.close();
    await gatehouse[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });

  test("lists and calls tools", async () => {
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("echo");
    const answer = await client.callTool({ name: "echo", arguments: { text: "hello" } });
    expect(answer.content).toEqual([{ type: "text", text: "hello" }]);
  });

  test("hears of progress, and is asked for samples and forms", async () => {
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
    await client.callTool({ name: "test_tool_with_progress", arguments: {} }, undefined, { onprogress });
    expect(heard).toEqual([0, 50, 100]);
    const sampled = await client.callTool({ name: "test_sampling", arguments: { prompt: "Capital?" } });
    expect(sampled.content).toEqual([{ type: "text", text: "LLM response: Paris" }]);
    const asked = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
    expect(JSON.stringify(asked.content)).toContain("action=accept");
  });

  // A server of 2026-07-28 has no streams that are opened again.
  if (!("era" in options)) {
    test("comes back for the answer of a stream that the server closed", async () => {
      const answer = await client.callTool({ name: "test_reconnection", arguments: {} });
      expect(JSON.stringify(answer.content)).toContain("opened again");
    });
  }

  test("reads resources and gets prompts", async () => {
    const read = await client.readResource({ uri: "test://static-text" });
    expect(JSON.stringify(read)).toContain("static text resource");
    expect(JSON.stringify(await client.getPrompt({ name: "test_simple_prompt" }))).toContain("simple prompt");
  });
});
