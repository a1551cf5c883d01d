import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import { manyTools } from "../../kit/many-tools.ts";
import type { MockUpstream, Respond } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { Era } from "./published-server.ts";
import { messageOf, modernVersion, publishServer, rpcOf, sse } from "./published-server.ts";
import type { SmallServer } from "./virtual/small-server.ts";
import { startSmallServer } from "./virtual/small-server.ts";
import { connect, publishVirtual } from "./virtual/virtual-kit.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let small: SmallServer;

const policies = [{ use: "semantic-tool-filter", with: { limit: 3, alwaysKeep: ["list_playlist"] } }];
const tools = manyTools(200).map(({ parameters, ...rest }) => ({ ...rest, inputSchema: parameters }));
const pageSize = 80;

/** Lists the tools in pages whose cursors are numbers; every `breaksAt`th is not there. */
function listing(breaksAt = -1, asEvents = false): Respond {
  return (request, response) => {
    const { id, params } = messageOf(request);
    const from = Number(params["cursor"] ?? 0);
    if (from === breaksAt) return json(500, {})(request, response);
    const nextCursor = from + pageSize < tools.length ? { nextCursor: String(from + pageSize) } : {};
    const result = { tools: tools.slice(from, from + pageSize), ...nextCursor, cacheScope: "public", ttlMs: 9 };
    const message = { jsonrpc: "2.0", id, result };
    if (!asEvents) return json(200, message)(request, response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(sse(message));
  };
}

beforeAll(async () => {
  upstream = await startMockUpstream(listing());
  gatehouse = await startTestGatehouse();
  small = await startSmallServer("small");
  for (const { name, parameters } of manyTools(40)) small.tools.set(name, parameters);
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
  await small[Symbol.asyncDispose]();
});

function list(era: Era, task: string | undefined, more: object = {}): object {
  const meta = {
    ...(task !== undefined && { "io.gatehouse/task": task }),
    ...(era === "modern" && {
      "io.modelcontextprotocol/protocolVersion": modernVersion,
      "io.modelcontextprotocol/clientCapabilities": {},
    }),
  };
  return { jsonrpc: "2.0", id: 1, method: "tools/list", params: { ...more, _meta: meta } };
}

function namesIn(answer: { text: string } | Record<string, unknown>): readonly string[] {
  const { text } = answer as { text: string }; // an answer's body
  const message = JSON.parse(text.startsWith("{") ? text : (/^data: (.+)$/m.exec(text)?.[1] ?? "")) as {
    result: { tools: { name: string }[] };
  };
  return message.result.tools.map(({ name }) => name);
}

const task = "Please cancel my flight to Rome.";

describe.each(["legacy", "modern"] as const)("a list for a task, relayed to a %s server", (era) => {
  test("holds the tools that fit, of all pages, in their order and in one page", async () => {
    const server = await publishServer(gatehouse, `list-${era}`, upstream.url, { upstream: { era }, policies });
    upstream.respond(listing());
    const answer = await server.post(list(era, task), { era });
    const names = namesIn(answer);
    expect(names).toHaveLength(4);
    expect(names).toContain("cancel_flight");
    expect(names).toContain("list_playlist");
    expect(names).toEqual(tools.map(({ name }) => name).filter((name) => names.includes(name)));
    expect(rpcOf(answer).result).toMatchObject({ cacheScope: "private", ttlMs: 9 });
    expect(rpcOf(answer).result).not.toHaveProperty("nextCursor");
    expect(answer.headers["x-gatehouse-tools"]).toBe("200;kept=4");
    expect(
      upstream.seen
        .slice(-3)
        .map((each) => each.body.toString())
        .join(""),
    ).not.toContain("Rome");
    const row = (await gatehouse.events()).find(
      (each) => each.type === "exchange" && each.exchange_id === answer.headers["x-request-id"],
    );
    expect(row).toMatchObject({
      fields: { list_total: 200, tools_total: 200, tools_after_authz: 200, tools_after_filter: 4 },
    });
  });

  test("may be asked by a header, which goes no further", async () => {
    const server = await publishServer(gatehouse, `header-${era}`, upstream.url, { upstream: { era }, policies });
    const answer = await server.post(list(era, undefined), { era, headers: { "x-gatehouse-task": task } });
    expect(namesIn(answer)).toContain("cancel_flight");
    expect(JSON.stringify(upstream.seen.slice(-3).map(({ headers }) => headers))).not.toContain("Rome");
  });

  test("comes as events where the server's does", async () => {
    const server = await publishServer(gatehouse, `events-${era}`, upstream.url, { upstream: { era }, policies });
    upstream.respond(listing(-1, true));
    expect(namesIn(await server.post(list(era, task), { era }))).toHaveLength(4);
    upstream.respond(listing());
  });

  test("is the server's own without a task, byte for byte", async () => {
    const server = await publishServer(gatehouse, `plain-${era}`, upstream.url, { upstream: { era }, policies });
    const answer = await server.post(list(era, undefined), { era });
    expect(namesIn(answer)).toHaveLength(pageSize);
    expect(answer.headers).not.toHaveProperty("x-gatehouse-tools");
  });
});

test("a page that does not come leaves a cursor to it", async () => {
  const server = await publishServer(gatehouse, "broken", upstream.url, { policies });
  upstream.respond(listing(160));
  const answer = await server.post(list("legacy", task));
  upstream.respond(listing());
  expect(rpcOf(answer).result).toMatchObject({ nextCursor: "160" });
  expect(namesIn(answer)).toContain("cancel_flight");
});

test("what the caller may not see is neither listed nor counted", async () => {
  const authorization = { default: "allow", hidden: true, rules: [{ on: { tools: ["cancel_*"] }, scopes: ["none"] }] };
  const server = await publishServer(gatehouse, "hidden", upstream.url, { policies, authorization });
  const answer = await server.post(list("legacy", task));
  expect(namesIn(answer).filter((name) => name.startsWith("cancel_"))).toEqual([]);
  expect(answer.headers["x-gatehouse-tools"]).toBe("180;kept=4");
});

test("monitor mode lists what the server does", async () => {
  const server = await publishServer(gatehouse, "monitor", upstream.url, {
    policies: [{ ...policies[0], mode: "monitor" }],
  });
  const answer = await server.post(list("legacy", task));
  expect(namesIn(answer)).toHaveLength(pageSize);
  expect(answer.headers["x-gatehouse-tools"]).toBe("200;kept=4;mode=monitor");
});

describe("where the embedder is away", () => {
  const embedder = { use: "openai-compatible", with: { baseUrl: "http://127.0.0.1:9/v1", model: "m" } };

  test("everything is listed that this caller may call", async () => {
    const server = await publishServer(gatehouse, "open", upstream.url, {
      policies: [{ use: "semantic-tool-filter", with: { embedder } }],
    });
    const answer = await server.post(list("legacy", task));
    expect(namesIn(answer)).toHaveLength(pageSize);
    expect(answer.headers["x-gatehouse-tools"]).toMatch(/^200;kept=200;reason=/);
  });

  test("nothing is where it says so", async () => {
    const closed = [{ use: "semantic-tool-filter", with: { embedder }, onError: "deny" }];
    const server = await publishServer(gatehouse, "closed", upstream.url, { policies: closed });
    const answer = await server.post(list("legacy", task));
    expect(rpcOf(answer).result).toBeUndefined();
    expect(answer.text).not.toContain("cancel_flight");
  });
});

test("a task for a virtual server is not one for those that it is made of, whose lists are shared by all its tasks", async () => {
  await publishServer(gatehouse, "part", small.url, { policies });
  const virtual = await publishVirtual(gatehouse, "whole", { servers: [{ server: "part" }] });
  const headers = {
    authorization: `Bearer ${virtual.key}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": modernVersion,
    "mcp-method": "tools/list",
    "x-gatehouse-task": task,
  };
  const answer = await fetch(virtual.url, { method: "POST", headers, body: JSON.stringify(list("modern", undefined)) });
  expect(namesIn({ text: await answer.text() })).toHaveLength(40);
  const client = await connect(virtual, "modern");
  expect((await client.listTools()).tools).toHaveLength(40);
  await client.close();
});

test("a server that is searched may be narrowed too: what it is searched by stays", async () => {
  const server = await publishServer(gatehouse, "both-ways", small.url, { policies, toolSearch: { list: "all" } });
  const answer = await server.post(list("modern", task), { era: "modern" });
  expect(namesIn(answer).slice(0, 2)).toEqual(["search_tools", "call_tool"]);
  expect(namesIn(answer)).toContain("cancel_flight");
});
