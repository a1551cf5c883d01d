import { afterAll, beforeAll, expect, test } from "vitest";
import { serverWords } from "../../../../src/mcp/federation/server-words.ts";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import { publishServer } from "../published-server.ts";
import type { SmallServer } from "../virtual/small-server.ts";
import { startSmallServer } from "../virtual/small-server.ts";
import { connect, publishVirtual } from "../virtual/virtual-kit.ts";

let gatehouse: TestGatehouse;
let weather: SmallServer;
let bank: SmallServer;

beforeAll(async () => {
  weather = await startSmallServer("the weather office with its forecasts", ["ask"]);
  bank = await startSmallServer("the bank with its accounts", ["ask"]);
  gatehouse = await startTestGatehouse();
  const offer = { tools: [{ name: "ask", description: "Answers what is asked." }] }; // which tells nothing of the server
  await publishServer(gatehouse, "one", weather.url, { offer });
  await publishServer(gatehouse, "two", bank.url, { offer });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await bank[Symbol.asyncDispose]();
  await weather[Symbol.asyncDispose]();
});

const servers = [{ server: "one" }, { server: "two" }];

test.each([
  { name: "plain", spec: {}, tools: ["one_ask", "two_ask"] },
  {
    name: "renamed",
    spec: {
      offer: {
        tools: [
          { name: "one_ask", as: "left" },
          { name: "two_ask", as: "right" },
        ],
      },
    },
    tools: ["left", "right"],
  },
])("a tool of several servers is found by what its own says of itself ($name)", async ({ name, spec, tools }) => {
  const virtual = await publishVirtual(gatehouse, name, { servers }, { toolSearch: {}, ...spec });
  const client = await connect(virtual, "modern");
  const best = async (query: string): Promise<unknown> => {
    const { structuredContent } = await client.callTool({ name: "search_tools", arguments: { query, limit: 1 } });
    return (structuredContent as { tools: { name: string }[] }).tools[0]?.name; // what the gateway answers
  };
  const found = [await best("the forecasts of the weather"), await best("accounts at the bank")];
  await client.close();
  expect(found).toEqual(tools);
});

test("a server is told by its title and description, else by how its instructions begin, in few characters", () => {
  const facts = { capabilities: {}, versions: [], instructions: "Pays bills. And more." };
  expect(serverWords("m", { ...facts, serverInfo: { name: "x" } })).toBe("m Pays bills. And more.");
  expect(serverWords("m", { ...facts, serverInfo: { title: "Bank", description: "Money." } })).toBe("m Bank Money.");
  expect(serverWords("m", { ...facts, serverInfo: { title: 7 }, instructions: undefined })).toBe("m");
  const long = serverWords("m", { ...facts, serverInfo: {}, instructions: `x${"\u{1f600}".repeat(500)}` });
  expect(long.length).toBe(200);
  expect(long.isWellFormed()).toBe(true);
});
