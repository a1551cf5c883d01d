import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../../../conformance/fixture-server.ts";
import { startFixtureServer } from "../../../conformance/fixture-server.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { publishServer } from "../published-server.ts";
import type { PublishedVirtual } from "./virtual-kit.ts";
import { connect, publishVirtual } from "./virtual-kit.ts";

describe.each(["legacy", "modern"] as const)("a virtual server over both eras, for a %s client", (era) => {
  let gatehouse: TestGatehouse;
  let fixtures: FixtureServer[];
  let server: PublishedVirtual;

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    fixtures = [await startFixtureServer({ era: "legacy" }), await startFixtureServer({ era: "modern" })];
    await publishServer(gatehouse, "old", fixtures[0]?.url ?? "", { upstream: { bridge: { park: true } } });
    await publishServer(gatehouse, "new", fixtures[1]?.url ?? "");
    server = await publishVirtual(gatehouse, "both", { servers: [{ server: "old" }, { server: "new" }] });
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    for (const fixture of fixtures) await fixture[Symbol.asyncDispose]();
  });

  test("lists what all have, and calls each by its own name", async () => {
    const client = await connect(server, era);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain("old_test_simple_text");
    expect(names).toContain("new_test_simple_text");
    for (const name of ["old_test_simple_text", "new_test_simple_text"]) {
      const result = await client.callTool({ name, arguments: {} });
      expect(JSON.stringify(result.content)).toContain("simple text");
    }
    expect(client.getServerVersion()?.name).toBe("both");
    await client.close();
  });

  test("brings progress, log lines, samples and forms through", async () => {
    const client = await connect(server, era);
    for (const member of ["old", "new"]) {
      const heard: number[] = [];
      const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
      await client.callTool({ name: `${member}_test_tool_with_progress`, arguments: {} }, { onprogress });
      expect(heard.length).toBeGreaterThan(1);
    }
    const prompts = (await client.listPrompts()).prompts.map(({ name }) => name);
    expect(prompts).toContain("new_test_simple_prompt");
    const prompt = await client.getPrompt({ name: "old_test_simple_prompt" });
    expect(prompt.messages.length).toBeGreaterThan(0);
    const { resources } = await client.listResources();
    const read = await client.readResource({ uri: resources[0]?.uri ?? "" });
    expect(read.contents.length).toBeGreaterThan(0);
    await client.close();
  });

  test("refuses what is not there in a server's own words", async () => {
    const client = await connect(server, era);
    await expect(client.callTool({ name: "old_nothing", arguments: {} })).rejects.toThrow("Tool old_nothing not found");
    await expect(client.callTool({ name: "test_simple_text", arguments: {} })).rejects.toThrow("not found");
    await client.close();
  });
});
