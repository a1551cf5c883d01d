import type { Client } from "@modelcontextprotocol/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { publishServer } from "../published-server.ts";
import type { SmallServer } from "./small-server.ts";
import { startSmallServer } from "./small-server.ts";
import { connect, publishVirtual } from "./virtual-kit.ts";

const servers = [{ server: "alive" }, { server: "ill" }];

describe.each(["legacy", "modern"] as const)("a virtual server with a dead part, for a %s client", (era) => {
  let gatehouse: TestGatehouse;
  let alive: SmallServer;
  let ill: SmallServer;
  const clients: Client[] = [];

  beforeEach(async () => {
    gatehouse = await startTestGatehouse();
    alive = await startSmallServer("alive", ["a"]);
    ill = await startSmallServer("ill", ["b"]);
    for (const [name, { url }] of Object.entries({ alive, ill })) {
      await publishServer(gatehouse, name, url, { upstream: { era: "modern", health: { probe: "off" } } });
    }
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await gatehouse[Symbol.asyncDispose]();
    await alive[Symbol.asyncDispose]();
    await ill[Symbol.asyncDispose]();
  });

  async function open(virtual: object): Promise<Client> {
    const client = await connect(await publishVirtual(gatehouse, "all", { servers, keepMs: 0, ...virtual }), era);
    clients.push(client);
    return client;
  }

  async function listed(client: Client): Promise<{ names: string[]; partial: unknown }> {
    const { tools, _meta: meta } = await client.listTools();
    return { names: tools.map(({ name }) => name), partial: meta?.["gatehouse/partial"] };
  }

  test("lists what the others have, and says whose part is missing", async () => {
    ill.isBroken = true;
    const client = await open({});
    expect(await listed(client)).toEqual({ names: ["alive_a"], partial: ["ill"] });
    const rows = (await gatehouse.events()).filter((row) => row.type === "exchange");
    const lists = rows.filter(({ operation_kind: kind }) => kind === "tools/list");
    expect(lists.map(({ api_name: api, fields }) => [api, fields["members_missing"]])).toEqual([["all", "ill"]]);
    expect(JSON.stringify(await client.callTool({ name: "alive_a", arguments: {} }))).toContain("alive/a");
    ill.isBroken = false;
    expect(await listed(client)).toEqual({ names: ["alive_a", "ill_b"], partial: undefined });
  });

  test("shows what it last knew of it, and says so", async () => {
    const client = await open({});
    expect(await listed(client)).toEqual({ names: ["alive_a", "ill_b"], partial: undefined });
    ill.isBroken = true;
    expect(await listed(client)).toEqual({ names: ["alive_a", "ill_b"], partial: ["ill"] });
    await expect(client.callTool({ name: "ill_b", arguments: {} })).rejects.toThrow();
  });

  test("forgets it where it is told to", async () => {
    const client = await open({ lastKnown: false });
    await listed(client);
    ill.isBroken = true;
    expect(await listed(client)).toEqual({ names: ["alive_a"], partial: ["ill"] });
  });

  test("gives no list at all where it must be whole", async () => {
    const client = await open({ onFailure: "failClosed" });
    expect((await listed(client)).names).toHaveLength(2);
    ill.isBroken = true;
    await expect(client.listTools()).rejects.toThrow();
  });

  test("tells that it cannot know a name now, instead of that there is none", async () => {
    ill.isBroken = true;
    const client = await open({});
    await expect(client.callTool({ name: "ill_b", arguments: {} })).rejects.toThrow("does not answer");
  });

  test("gives an error when all of it is dead", async () => {
    const client = await open({ lastKnown: false });
    alive.isBroken = true;
    ill.isBroken = true;
    await expect(client.listTools()).rejects.toThrow();
  });
});
