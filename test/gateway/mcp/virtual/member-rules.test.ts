import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { comingBack, decide, stateOf, waitingFor } from "../../../policies/hold/hold-kit.ts";
import { keyFor, publishServer, rpcOf, serverAt } from "../published-server.ts";
import type { SmallServer } from "./small-server.ts";
import { startSmallServer } from "./small-server.ts";
import { connect, publishVirtual } from "./virtual-kit.ts";

const all = { servers: [{ server: "small" }] };

describe.each(["legacy", "modern"] as const)("what holds for a part of a virtual server, for a %s client", (era) => {
  let gatehouse: TestGatehouse;
  let small: SmallServer;

  beforeEach(async () => {
    gatehouse = await startTestGatehouse();
    small = await startSmallServer("small", ["say", "erase"]);
    small.tools.set("say", { type: "object", properties: { text: { type: "string" } } });
  });

  afterEach(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await small[Symbol.asyncDispose]();
  });

  const part = (spec: object): Promise<unknown> =>
    publishServer(gatehouse, "small", small.url, { upstream: { era: "modern" }, ...spec });

  test("are its limits, by its own tools' names", async () => {
    await part({ policies: [{ use: "rate-limit", on: ["say"], with: { requests: 2, windowMs: 60_000, per: "key" } }] });
    const client = await connect(await publishVirtual(gatehouse, "all", all), era);
    await client.listTools();
    for (const _ of [1, 2]) await client.callTool({ name: "small_say", arguments: {} });
    await expect(client.callTool({ name: "small_say", arguments: {} })).rejects.toThrow();
    await client.callTool({ name: "small_erase", arguments: {} });
    expect(small.calls.map(({ name }) => name)).toEqual(["say", "say", "erase"]);
    await client.close();
  });

  test("are its guardrails, over what goes up and what comes back", async () => {
    const patterns = [
      { pattern: "forbidden", action: "deny" },
      { pattern: "[0-9]{3}-[0-9]{4}", action: "redact", replacement: "[number]" },
    ];
    await part({ policies: [{ use: "regex", with: { patterns } }] });
    const client = await connect(await publishVirtual(gatehouse, "all", all), era);
    await expect(client.callTool({ name: "small_say", arguments: { text: "forbidden" } })).rejects.toThrow();
    const result = await client.callTool({ name: "small_say", arguments: { text: "call 555-1234" } });
    expect(small.calls).toEqual([{ name: "say", given: { text: "call [number]" } }]);
    expect(JSON.stringify(result.content)).toContain("[number]");
    await client.close();
  });

  test("is its authorization, in lists and calls", async () => {
    const rules = [{ on: { tools: ["erase"] }, applications: ["nobody"] }];
    await part({ authorization: { rules } });
    const client = await connect(await publishVirtual(gatehouse, "all", all), era);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["small_say"]);
    await expect(client.callTool({ name: "small_erase", arguments: {} })).rejects.toThrow("not found");
    expect(small.calls).toEqual([]);
    await client.close();
  });

  test("is the approval that its calls wait for, by its own tools' names", async () => {
    await part({ policies: [{ use: "hold", on: ["erase"], with: { waitMs: era === "legacy" ? 60_000 : 0 } }] });
    const virtual = await publishVirtual(gatehouse, "all", all);
    const given = { all: true };
    const { post } = serverAt(virtual.url, virtual.key);
    const comeBack = async (state?: unknown) => post(comingBack(1, "small_erase", given, state), { era });
    const client = await connect(virtual, era);
    const waiting = era === "legacy" ? client.callTool({ name: "small_erase", arguments: given }) : undefined;
    const asked = era === "legacy" ? undefined : stateOf(await comeBack());
    const { id } = await waitingFor(gatehouse, "erase");
    expect(small.calls).toEqual([]);
    await decide(gatehouse, id, "approve");
    const result = waiting === undefined ? rpcOf(await comeBack(asked)).result : await waiting;
    expect(result).toHaveProperty("content");
    expect(small.calls).toEqual([{ name: "erase", given }]);
    if (asked !== undefined) expect(rpcOf(await comeBack(asked))).toHaveProperty("error");
    expect(small.calls).toHaveLength(1);
    await client.close();
  });

  test("is its subscription, which the virtual server's callers need as well", async () => {
    await part({ security: { subscription: "required" } });
    const client = await connect(await publishVirtual(gatehouse, "all", all), era).catch(() => undefined);
    if (client !== undefined) {
      await expect(client.listTools()).rejects.toThrow();
      await expect(client.callTool({ name: "small_say", arguments: {} })).rejects.toThrow();
      await client.close();
    }
    expect(small.calls).toEqual([]);
  });

  test("is what was published of it last", async () => {
    await part({});
    const server = await publishVirtual(gatehouse, "all", all);
    const client = await connect(server, era);
    expect((await client.listTools()).tools).toHaveLength(2);
    await part({ offer: { tools: [{ name: "say" }] } });
    const later = await connect(server, era);
    expect((await later.listTools()).tools.map(({ name }) => name)).toEqual(["small_say"]);
    await expect(later.callTool({ name: "small_erase", arguments: {} })).rejects.toThrow("not found");
    await client.close();
    await later.close();
  });

  test("is the caller's environment", async () => {
    await using trial = await startSmallServer("trial", ["say"]);
    const upstream = {
      production: { url: small.url, era: "modern" },
      sandbox: { url: trial.url, era: "modern" },
    };
    await gatehouse.put("McpServer", "small", { context: "/small", upstream });
    const { url, key } = await publishVirtual(gatehouse, "all", all);
    const sandboxKey = await keyFor(gatehouse, "all", { environment: "sandbox" });
    for (const [own, name] of [
      [key, "small"],
      [sandboxKey, "trial"],
    ] as const) {
      const client = await connect({ url, key: own }, era);
      const result = await client.callTool({ name: "small_say", arguments: {} });
      expect(JSON.stringify(result.content)).toContain(`${name}/say`);
      await client.close();
    }
  });
});

describe("at publish", () => {
  test("a virtual server as a part of another is refused", async () => {
    await using gatehouse = await startTestGatehouse();
    await using small = await startSmallServer("small", ["say"]);
    await publishServer(gatehouse, "small", small.url);
    await publishVirtual(gatehouse, "all", all);
    const more = { context: "/more", virtual: { servers: [{ server: "all" }] } };
    await expect(gatehouse.put("McpServer", "more", more)).rejects.toMatchObject({
      issues: [{ path: "spec.virtual.servers[0].server" }],
    });
    const circle = { context: "/all", virtual: { servers: [{ server: "all" }] } };
    await expect(gatehouse.put("McpServer", "all", circle)).rejects.toMatchObject({
      issues: [{ path: "spec.virtual.servers[0].server" }],
    });
  });

  test("a server that is a part of another cannot become virtual, and one that is not there cannot be a part", async () => {
    await using gatehouse = await startTestGatehouse();
    await using small = await startSmallServer("small", ["say"]);
    await publishServer(gatehouse, "small", small.url);
    await publishServer(gatehouse, "other", small.url);
    await publishVirtual(gatehouse, "all", all);
    const turned = { context: "/small", virtual: { servers: [{ server: "other" }] } };
    await expect(gatehouse.put("McpServer", "small", turned)).rejects.toThrow("virtual");
    const nobody = { context: "/n", virtual: { servers: [{ server: "nobody" }] } };
    await expect(gatehouse.put("McpServer", "n", nobody)).rejects.toThrow("nobody");
  });

  test("tools that are known to claim one name are refused, unless it is said who gives way", async () => {
    await using gatehouse = await startTestGatehouse();
    await using one = await startSmallServer("one", ["say", "add"]);
    await using two = await startSmallServer("two", ["SAY"]);
    for (const [name, { url }] of Object.entries({ one, two })) await publishServer(gatehouse, name, url);
    const virtual = { naming: "bare", servers: [{ server: "one" }, { server: "two" }] };
    const client = await connect(await publishVirtual(gatehouse, "all", virtual), "modern"); // nothing is known yet
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["say", "add"]);
    await client.close();
    await expect(publishVirtual(gatehouse, "all", { ...virtual, pageSize: 7 })).rejects.toThrow(
      'the tool "SAY" of two',
    );
    await publishServer(gatehouse, "other", one.url); // what is served keeps nothing else from being published
    const chosen = [{ server: "one" }, { server: "two", priority: -1 }];
    await publishVirtual(gatehouse, "all", { ...virtual, servers: chosen });
    await publishVirtual(gatehouse, "all", {
      ...virtual,
      servers: [{ server: "one", tools: ["add"] }, { server: "two" }],
    });
  });

  test("prompts and resources are refused in the same way, as far as lists have told of them", async () => {
    await using gatehouse = await startTestGatehouse();
    await using one = await startSmallServer("one");
    await using two = await startSmallServer("two");
    for (const small of [one, two]) {
      small.prompts.add("ask");
      small.resources.add("note:///shared");
    }
    for (const [name, { url }] of Object.entries({ one, two })) await publishServer(gatehouse, name, url);
    const virtual = { naming: "bare", servers: [{ server: "one" }, { server: "two" }] };
    const client = await connect(await publishVirtual(gatehouse, "all", virtual), "modern"); // nothing is known yet
    await client.listPrompts();
    await expect(publishVirtual(gatehouse, "all", { ...virtual, pageSize: 7 })).rejects.toThrow(
      'the prompt "ask" of two and one of one would have the same name',
    );
    await client.listResources();
    await client.close();
    const named = { ...virtual, naming: "server_tool" };
    await expect(publishVirtual(gatehouse, "all", named)).rejects.toThrow(
      'the resource "note:///shared" of two and one of one would have the same URI: leave it out, or say a `priority`',
    );
    await publishVirtual(gatehouse, "all", {
      ...virtual,
      servers: [{ server: "one" }, { server: "two", priority: 1 }],
    });
  });

  test.each([
    { name: "prefixes that look alike", naming: "prefix", parts: [{ prefix: "note." }, { prefix: "n0te-" }] },
    { name: "no prefix where names need one", naming: "prefix", parts: [{}, { prefix: "b" }] },
  ])("$name are refused", async ({ naming, parts: [first, second] }) => {
    await using gatehouse = await startTestGatehouse();
    await using small = await startSmallServer("small", ["say"]);
    for (const name of ["one", "two"]) await publishServer(gatehouse, name, small.url);
    const servers = [
      { server: "one", ...first },
      { server: "two", ...second },
    ];
    await expect(publishVirtual(gatehouse, "all", { naming, servers })).rejects.toThrow("prefix");
  });
});
