import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../../kit/gatehouse.ts";
import type { PublishedServer } from "../published-server.ts";
import { publishServer, rpcOf, serverAt, toolCall } from "../published-server.ts";
import type { SmallServer } from "./small-server.ts";
import { startSmallServer } from "./small-server.ts";
import { connect, publishVirtual } from "./virtual-kit.ts";

let gatehouse: TestGatehouse;
let small: SmallServer;
let server: PublishedServer;

const schema = { type: "object", properties: { region: { type: "string", "x-mcp-header": "Region" } } };

beforeAll(async () => {
  gatehouse = await startTestGatehouse();
  small = await startSmallServer("small");
  small.tools.set("where", schema);
  await publishServer(gatehouse, "small", small.url, { upstream: { era: "modern" } });
  const published = await publishVirtual(gatehouse, "all", { servers: [{ server: "small" }] });
  const client = await connect(published, "modern"); // the list is shown, so what it wants is known
  await client.listTools();
  await client.close();
  server = serverAt(published.url, published.key);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await small[Symbol.asyncDispose]();
});

const call = toolCall("modern", 1, "small_where", { region: "Łódź" });

test("an argument that its tool wants repeated in a header goes on when the header says the same", async () => {
  const headers = { "mcp-param-region": `=?base64?${Buffer.from("Łódź").toString("base64")}?=` };
  const answer = await server.post(call, { era: "modern", headers });
  expect(answer.status).toBe(200);
  expect(JSON.stringify(rpcOf(answer).result)).toContain("Łódź");
});

test.each([
  { name: "no header", headers: {} },
  { name: "a header for another argument", headers: { "mcp-param-other": `=?base64?xYHDs2TFug==?=` } },
])("a call with $name is refused by the protocol's own code, and reaches nobody", async ({ headers }) => {
  const before = small.calls.length;
  const answer = await server.post(call, { era: "modern", headers });
  expect(answer.status).toBe(400);
  expect(rpcOf(answer).error).toMatchObject({ code: -32_020, message: expect.stringContaining("mcp-param-region") });
  expect(small.calls.length).toBe(before);
});

test("an argument that is not given needs no header", async () => {
  expect((await server.post(toolCall("modern", 1, "small_where"), { era: "modern" })).status).toBe(200);
});
