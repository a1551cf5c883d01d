import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../../kit/eventually.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { keyFor, publishServer } from "../published-server.ts";
import type { SmallServer } from "./small-server.ts";
import { startSmallServer } from "./small-server.ts";
import { connect, publishVirtual } from "./virtual-kit.ts";

describe.each(["legacy", "modern"] as const)("lists of a virtual server, for a %s client", (era) => {
  let gatehouse: TestGatehouse;
  let one: SmallServer;
  let two: SmallServer;

  beforeAll(async () => {
    gatehouse = await startTestGatehouse();
    one = await startSmallServer("one", ["add", "list"]);
    two = await startSmallServer("two", ["ADD", "drop"]);
    for (const small of [one, two]) {
      small.prompts.add("ask");
      small.resources.add("note:///shared");
    }
    one.resources.add("note:///one");
    two.resources.add("note:///two");
    await publishServer(gatehouse, "one", one.url, { upstream: { era: "modern" } });
    await publishServer(gatehouse, "two", two.url, { upstream: { era: "modern" } });
  });

  afterAll(async () => {
    await gatehouse[Symbol.asyncDispose]();
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
  });

  async function named(client: Client): Promise<string[]> {
    return (await client.listTools()).tools.map(({ name }) => name);
  }

  test("bear the names that their naming says", async () => {
    const plain = await connect(await publishVirtual(gatehouse, "plain", { servers: bothOf() }), era);
    expect(await named(plain)).toEqual(["one_add", "one_list", "two_ADD", "two_drop"]);
    const prefix = { naming: "prefix", servers: bothOf({ prefix: "x." }, { prefix: "y.", priority: -1 }) };
    const prefixed = await connect(await publishVirtual(gatehouse, "prefixed", prefix), era);
    expect(await named(prefixed)).toEqual(["x.add", "x.list", "y.ADD", "y.drop"]);
    expect((await prefixed.listPrompts()).prompts.map(({ name }) => name)).toEqual(["x.ask", "y.ask"]);
    await plain.close();
    await prefixed.close();
  });

  test("leave bare names to the server of the higher priority, and tell which they drop", async () => {
    const bare = { naming: "bare", servers: bothOf({}, { priority: 1 }) };
    const client = await connect(await publishVirtual(gatehouse, "bare", bare), era);
    one.tools.set("search_tools", { type: "object", properties: {} }); // nobody has known of it at publish
    const { tools, _meta: meta } = await client.listTools();
    one.tools.delete("search_tools");
    expect(tools.map(({ name }) => name)).toEqual(["ADD", "drop", "list"]);
    expect(meta?.["gatehouse/dropped"]).toEqual([
      { member: "one", name: "add", why: "taken", by: "two" },
      { member: "one", name: "search_tools", why: "reserved" },
    ]);
    const shared = await client.readResource({ uri: "note:///shared" });
    expect(JSON.stringify(shared.contents)).toContain("two has");
    const own = await client.readResource({ uri: "note:///one" });
    expect(JSON.stringify(own.contents)).toContain("one has");
    await client.close();
  });

  test("hold only what was chosen, and no call goes around that", async () => {
    const chosen = { servers: bothOf({ tools: ["list"], resources: ["note:///one"] }, { tools: [], prompts: [] }) };
    const client = await connect(await publishVirtual(gatehouse, "chosen", chosen), era);
    expect(await named(client)).toEqual(["one_list"]);
    expect((await client.listPrompts()).prompts.map(({ name }) => name)).toEqual(["one_ask"]);
    for (const name of ["one_add", "two_drop", "list"]) {
      await expect(client.callTool({ name, arguments: {} })).rejects.toThrow(`Tool ${name} not found`);
    }
    await expect(client.getPrompt({ name: "two_ask" })).rejects.toThrow("not found");
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(["note:///one", "note:///shared", "note:///two"]);
    await client.close();
  });

  test("go over pages whose cursors are their caller's own", async () => {
    const server = await publishVirtual(gatehouse, "paged", { servers: bothOf(), pageSize: 2 });
    const client = await connect(server, era);
    const first = await client.listTools({});
    const other = await connect({ ...server, key: await keyFor(gatehouse, "paged") }, era);
    await expect(raw(client, `${first.nextCursor ?? "none"}x`)).rejects.toThrow("cursor");
    await expect(raw(other, String((await firstPage(client)).nextCursor))).rejects.toThrow("cursor");
    const names: string[] = [];
    let page = await firstPage(client);
    for (;;) {
      names.push(...page.tools.map(({ name }) => name));
      if (page.nextCursor === undefined) break;
      page = await raw(client, page.nextCursor);
    }
    expect(names).toEqual(["one_add", "one_list", "two_ADD", "two_drop"]);
    await client.close();
    await other.close();
  });

  test("are told to have changed when one server's have, and are read again", async () => {
    const server = await publishVirtual(gatehouse, "watched", { servers: bothOf(), keepMs: 3_600_000 });
    const client = await connect(server, era);
    let heard = 0;
    client.setNotificationHandler("notifications/tools/list_changed", () => void (heard += 1));
    if (era === "modern") await client.listen({ toolsListChanged: true });
    expect(await named(client)).not.toContain("two_new");
    two.tools.set("new", { type: "object", properties: {} });
    await eventually("the client hears of it", () => {
      two.toolsChanged(); // again and again: the client's stream may not be open yet
      return heard > 0;
    });
    expect(await named(client)).toContain("two_new");
    two.tools.delete("new");
    await client.close();
  });
});

type Page = { readonly tools: readonly { readonly name: string }[]; readonly nextCursor?: string | undefined };

async function raw(client: Client, cursor: string): Promise<Page> {
  return client.request({ method: "tools/list", params: { cursor } });
}

async function firstPage(client: Client): Promise<Page> {
  return client.request({ method: "tools/list", params: {} });
}

function bothOf(first: object = {}, second: object = { priority: -1 }): readonly object[] {
  return [
    { server: "one", ...first },
    { server: "two", ...second },
  ];
}
