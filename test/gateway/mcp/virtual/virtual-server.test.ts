import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FixtureServer } from "../../../conformance/fixture-server.ts";
import { startFixtureServer } from "../../../conformance/fixture-server.ts";
import { eventually } from "../../../kit/eventually.ts";
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

  test("brings progress, samples and forms through, of each server", async () => {
    const client = await connect(server, era);
    for (const member of ["old", "new"]) {
      const heard: number[] = [];
      const onprogress = ({ progress }: { progress: number }): void => void heard.push(progress);
      await client.callTool({ name: `${member}_test_tool_with_progress`, arguments: {} }, { onprogress });
      expect(heard).toEqual([0, 50, 100]);
      const sample = { name: `${member}_test_sampling`, arguments: { prompt: "Capital of France?" } };
      expect((await client.callTool(sample)).content).toEqual([{ type: "text", text: "LLM response: Paris" }]);
      const form = { name: `${member}_test_elicitation`, arguments: { message: "Who?" } };
      expect(JSON.stringify((await client.callTool(form)).content)).toContain("action=accept");
    }
    await client.close();
  });

  test("gets prompts, completions, resources and those of templates from their server", async () => {
    const client = await connect(server, era);
    const name = "new_test_prompt_with_arguments";
    const prompt = await client.getPrompt({ name, arguments: { arg1: "a", arg2: "b" } });
    expect(prompt.messages).toHaveLength(1);
    const ref = { type: "ref/prompt" as const, name };
    const { completion } = await client.complete({ ref, argument: { name: "arg1", value: "par" } });
    expect(completion.values).toEqual(["paris", "park", "party"]);
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual([...new Set(resources.map(({ uri }) => uri))]);
    const read = await client.readResource({ uri: "test://static-text" });
    expect(JSON.stringify(read.contents)).toContain("static text resource");
    const made = await client.readResource({ uri: "test://template/7/data" });
    expect(JSON.stringify(made.contents)).toContain("Data for ID: 7");
    await client.close();
  });

  test("hears of the resource that it watches, from the server that has it", async () => {
    const client = await connect(server, era);
    const uri = "test://watched-resource";
    const heard: string[] = [];
    client.setNotificationHandler("notifications/resources/updated", ({ params }) => void heard.push(params.uri));
    if (era === "legacy") await client.subscribeResource({ uri });
    else await client.listen({ resourceSubscriptions: [uri] });
    await eventually("news came", async () => {
      await fixtures[0]?.resourceUpdated(uri); // again and again: the client's stream may not be open yet
      return heard.length > 0;
    });
    expect(new Set(heard)).toEqual(new Set([uri]));
    await client.close();
  });

  test("ends a server's work when the client gives up its call", async () => {
    const client = await connect(server, era);
    for (const member of ["old", "new"]) {
      const aborter = new AbortController();
      const call = client.callTool({ name: `${member}_work_until_stopped`, arguments: {} }, { signal: aborter.signal });
      call.catch(() => undefined); // it is looked at below
      await eventually("the server works", () => fixtures[0]?.working === 1);
      aborter.abort();
      await eventually("the server's work has ended", () => fixtures[0]?.working === 0);
      await expect(call).rejects.toThrow();
    }
    await client.close();
  });

  test("keeps apart what two clients call under equal ids", async () => {
    const clients = [await connect(server, era), await connect(server, era)];
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    await Promise.all(
      clients.flatMap((client, who) =>
        numbers.map(async (number) => {
          const text = `${who} says ${number}`;
          const name = number % 2 === 0 ? "old_echo" : "new_echo";
          const { content } = await client.callTool({ name, arguments: { text } });
          expect(content).toEqual([{ type: "text", text }]);
        }),
      ),
    );
    for (const client of clients) await client.close();
  });

  test("refuses what is not there in a server's own words", async () => {
    const client = await connect(server, era);
    await expect(client.callTool({ name: "old_nothing", arguments: {} })).rejects.toThrow("Tool old_nothing not found");
    await expect(client.callTool({ name: "test_simple_text", arguments: {} })).rejects.toThrow("not found");
    await client.close();
  });
});
