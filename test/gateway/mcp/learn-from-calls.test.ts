import { afterAll, beforeAll, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { manyTools } from "../../kit/many-tools.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { keyFor, messageOf, publishServer, rpcOf, serverAt, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

const tools = manyTools(200).map(({ parameters, ...rest }) => ({ ...rest, inputSchema: parameters }));
const task = "get me out of the Thursday trip";
const wanted = "translate_recipe"; // which nobody would find by the words of the task

beforeAll(async () => {
  upstream = await startMockUpstream((request, response) => {
    const { id, params } = messageOf(request);
    const failed = (params["arguments"] as { fail?: boolean } | undefined)?.fail === true; // as the tests below send them
    const called = { content: [{ type: "text", text: "done" }], isError: failed };
    return json(200, { jsonrpc: "2.0", id, result: params["name"] === undefined ? { tools } : called })(
      request,
      response,
    );
  });
  gatehouse = await startTestGatehouse();
  await gatehouse.put("Application", "bot", {});
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function serverWith(name: string, learn: boolean, bounds: object): Promise<PublishedServer> {
  const policies = [{ use: "semantic-tool-filter", with: { limit: 1, learn } }];
  const { url } = await publishServer(gatehouse, name, upstream.url, { upstream: { era: "legacy" }, policies });
  return serverAt(url, await keyFor(gatehouse, name, bounds));
}

async function listed(server: PublishedServer): Promise<readonly string[]> {
  const params = { _meta: { "io.gatehouse/task": task } };
  const answer = await server.post({ jsonrpc: "2.0", id: 1, method: "tools/list", params });
  const { tools: found } = rpcOf(answer).result as { tools: { name: string }[] }; // a list of tools was asked for
  return found.map(({ name }) => name);
}

const call = (server: PublishedServer, args: object = {}) => server.post(toolCall("legacy", 2, wanted, args));

test("a call that worked teaches what the task leads to, and an error teaches nothing", async () => {
  const server = await serverWith("learns", true, { application: "bot" });
  expect(await listed(server)).not.toContain(wanted);
  expect(rpcOf(await call(server, { fail: true })).result).toMatchObject({ isError: true });
  expect(await listed(server)).not.toContain(wanted);
  await call(server);
  expect(await listed(server)).toEqual([wanted]);
});

test.each([
  { name: "where it is not told to", learn: false, bounds: { application: "bot" } },
  { name: "from callers without an application", learn: true, bounds: {} },
])("nothing is learnt $name", async ({ learn, bounds }) => {
  const server = await serverWith(`silent-${learn}`, learn, bounds);
  await listed(server);
  await call(server);
  expect(await listed(server)).not.toContain(wanted);
});

test("a call is of its own caller's task only", async () => {
  const server = await serverWith("two", true, { application: "bot" });
  const other = serverAt(server.url, await keyFor(gatehouse, "two", { application: "bot" }));
  await listed(server);
  await call(other);
  expect(await listed(server)).not.toContain(wanted);
});
