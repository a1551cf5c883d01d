import type { Client } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { McpRequest } from "../../../../src/gateway/mcp/mcp-request.ts";
import { nothingSeen } from "../../../../src/gateway/mcp/mcp-request.ts";
import { createSearchLearner } from "../../../../src/gateway/mcp/search/learn-searches.ts";
import type { Exchange } from "../../../../src/pipeline/exchange.ts";
import { applicationId, buildExchange, buildOperation, buildTools, keyHolder, keyId } from "../../../kit/exchange.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { manualClock } from "../../../kit/manual-clock.ts";
import { manyTools } from "../../../kit/many-tools.ts";
import type { PublishedServer } from "../published-server.ts";
import { keyFor, publishServer, serverAt } from "../published-server.ts";
import type { SmallServer } from "../virtual/small-server.ts";
import { startSmallServer } from "../virtual/small-server.ts";
import { connect } from "../virtual/virtual-kit.ts";

let gatehouse: TestGatehouse;
let small: SmallServer;
const clients: Client[] = [];

const tools = manyTools(60);
const query = "get me out of the Thursday trip";
const wanted = tools.at(-1)?.name ?? ""; // which the words of the query do not find first

beforeAll(async () => {
  small = await startSmallServer("small");
  for (const { name, parameters } of tools) small.tools.set(name, parameters);
  gatehouse = await startTestGatehouse();
  await gatehouse.put("Application", "bot", {});
});

afterAll(async () => {
  for (const client of clients) await client.close();
  await gatehouse[Symbol.asyncDispose]();
  await small[Symbol.asyncDispose]();
});

async function urlOf(name: string, learn: boolean): Promise<PublishedServer> {
  return publishServer(gatehouse, name, small.url, { toolSearch: { learn, limit: 100 } });
}

/** A client of an API with a key of its own. */
async function clientOf(
  { url }: PublishedServer,
  name: string,
  bounds: object = { application: "bot" },
): Promise<Client> {
  const client = await connect(serverAt(url, await keyFor(gatehouse, name, bounds)), "modern");
  clients.push(client);
  return client;
}

const clientWith = async (name: string, learn: boolean, bounds?: object): Promise<Client> =>
  clientOf(await urlOf(name, learn), name, bounds);

async function search(client: Client, words = query, limit = 100): Promise<readonly string[]> {
  const { structuredContent } = await client.callTool({ name: "search_tools", arguments: { query: words, limit } });
  return (structuredContent as { tools: { name: string }[] }).tools.map(({ name }) => name); // what the gateway answers
}

const call = (client: Client, args: object = { id: "1" }) =>
  client.callTool({ name: "call_tool", arguments: { name: wanted, arguments: args } });

test("a call that worked lifts its tool for searches like the one that had found it", async () => {
  const client = await clientWith("learns", true);
  const before = await search(client);
  expect(before).toContain(wanted);
  expect(before[0]).not.toBe(wanted);
  expect(await call(client, {})).toMatchObject({ isError: true });
  expect((await search(client))[0]).not.toBe(wanted);
  expect(await call(client)).not.toMatchObject({ isError: true });
  expect((await search(client))[0]).toBe(wanted);
});

test("the search that has shown the tool counts, and not a later one that has not", async () => {
  const client = await clientWith("later", true);
  await search(client);
  const others = await search(client, "book a hotel", 1);
  expect(others).not.toContain(wanted);
  await call(client);
  expect((await search(client))[0]).toBe(wanted);
  expect(await search(client, "book a hotel", 1)).toEqual(others);
});

test.each([
  { name: "where it is not told to", learn: false, bounds: { application: "bot" } },
  { name: "from callers without an application", learn: true, bounds: {} },
])("nothing is learnt $name", async ({ learn, bounds }) => {
  const client = await clientWith(`silent-${learn}`, learn, bounds);
  const before = await search(client);
  await call(client);
  expect(await search(client)).toEqual(before);
});

test("nothing is learnt from a call of a tool that no search has shown", async () => {
  const client = await clientWith("unseen", true);
  const [first = ""] = await search(client, query, 1);
  expect(first).not.toBe(wanted);
  await call(client);
  expect((await search(client))[0]).toBe(first);
});

test("a call is of its own caller's search only", async () => {
  const published = await urlOf("two", true);
  const client = await clientOf(published, "two");
  const other = await clientOf(published, "two");
  const before = await search(client);
  await call(other);
  expect(await search(client)).toEqual(before);
});

/** A learner alone, and what it has learnt. */
function learnerAlone() {
  const texts: string[] = [];
  const clock = manualClock();
  const memory = {
    modelId: "m",
    absorb: ({ text }: { text: string }) => void texts.push(text),
    lifts: () => new Map(),
  };
  const learner = createSearchLearner({ ...buildTools(), clock, learnt: () => memory }, "api/toolSearch");
  if (learner === undefined) throw new Error("there is a memory");
  return { learner, clock, texts };
}

/** An exchange of a caller with a key of its own, that has called the tool. */
function callBy(key: number): Exchange {
  const own: McpRequest = {
    type: "message",
    message: undefined,
    era: "modern",
    protocolVersion: "2026-07-28",
    session: undefined,
    target: { type: "tool", names: [wanted] },
    mirrored: new Map(),
    seen: nothingSeen(),
  };
  const id = `${keyId.slice(0, -6)}${String(key).padStart(6, "0")}` as typeof keyId; // a key of this test's
  const exchange = buildExchange({ principal: { ...keyHolder, applicationId, keyId: id } });
  return { ...exchange, operations: [buildOperation({ kind: "tools/call", name: wanted, message: own })] };
}

test("ten minutes after the search a call is no longer one that it has led to", () => {
  const { learner, clock, texts } = learnerAlone();
  learner.found(callBy(1), "soon", [wanted]);
  clock.advance(599_000);
  learner.answered(callBy(1));
  expect(texts).toEqual(["soon"]);
  clock.advance(1_001);
  learner.answered(callBy(1));
  expect(texts).toEqual(["soon"]);
});

test("searches as long as they may be take no more than the room that there is for them, the oldest go first", () => {
  const { learner, texts } = learnerAlone();
  const query = "q".repeat(4_000);
  for (let key = 1; key <= 3_000; key += 1) learner.found(callBy(key), query, [wanted]);
  learner.answered(callBy(1));
  expect(texts).toEqual([]);
  learner.answered(callBy(3_000));
  expect(texts).toEqual([query]);
});
