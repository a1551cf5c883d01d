import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../../kit/mock-upstream.ts";
import type { PublishedServer } from "./published-server.ts";
import { answering, keyFor, publishServer, rpcOf, sse, sseMessages, toolCall } from "./published-server.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;
let server: PublishedServer;
let some: string;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
  server = await publishServer(gatehouse, "tools", `${upstream.url}/mcp`);
  some = await keyFor(gatehouse, "tools", { allow: ["read_*", "prompt_a", "file:///open/*"] });
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

beforeEach(() => upstream.respond(answering("ok")));

const ask = (method: string, params: object, key = some) =>
  server.post({ jsonrpc: "2.0", id: 1, method, params }, { key });

describe("a key that may reach some things", () => {
  const hidden: readonly {
    readonly name: string;
    readonly method: string;
    readonly params: object;
    readonly text: string;
  }[] = [
    {
      name: "completes no argument of a prompt that it may not get",
      method: "completion/complete",
      params: { ref: { type: "ref/prompt", name: "prompt_b" }, argument: { name: "x", value: "" } },
      text: "Prompt prompt_b not found",
    },
    {
      name: "completes nothing of a resource that it may not read",
      method: "completion/complete",
      params: { ref: { type: "ref/resource", uri: "file:///shut/{x}" }, argument: { name: "x", value: "" } },
      text: "Resource file:///shut/{x} not found",
    },
    {
      name: "watches no resource that it may not read",
      method: "resources/subscribe",
      params: { uri: "file:///shut/a" },
      text: "Resource file:///shut/a not found",
    },
    {
      name: "stops no watch on one either",
      method: "resources/unsubscribe",
      params: { uri: "file:///shut/a" },
      text: "Resource file:///shut/a not found",
    },
    ...["tasks/get", "tasks/result", "tasks/cancel", "tasks/update"].map((method) => ({
      name: `asks for no task whose tool nobody knows (${method})`,
      method,
      params: { taskId: "t-never-seen" },
      text: "Task t-never-seen not found",
    })),
  ];

  test.each(hidden)("$name, as if it were not there", async ({ method, params, text }) => {
    const before = upstream.seen.length;
    const answer = await ask(method, params);
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ jsonrpc: "2.0", id: 1, error: { code: -32_602, message: text } });
    expect(upstream.seen.length).toBe(before);
  });

  test.each([
    { method: "completion/complete", params: { ref: { type: "ref/prompt", name: "prompt_a" } } },
    { method: "completion/complete", params: { ref: { type: "ref/resource", uri: "file:///open/{x}" } } },
    { method: "resources/subscribe", params: { uri: "file:///open/a" } },
    { method: "logging/setLevel", params: { level: "debug" } },
    { method: "ping", params: {} },
  ])("reaches what it may, and what names nothing ($method)", async ({ method, params }) => {
    const before = upstream.seen.length;
    expect(rpcOf(await ask(method, params)).error).toBeUndefined();
    expect(upstream.seen.length).toBe(before + 1);
  });
});

describe("a task", () => {
  async function begin(taskId: string, tool: string, key: string, streams = false): Promise<void> {
    const reply = { jsonrpc: "2.0", id: 1, result: { task: { taskId, status: "working" } } };
    upstream.respond(streams ? events([sse(reply)]) : json(200, reply));
    await server.post(toolCall("legacy", 1, tool), { key });
    upstream.respond(answering("ok"));
  }

  const codeOf = async (method: string, taskId: string, key: string) =>
    rpcOf(await ask(method, { taskId }, key)).error?.code;

  test.each([{ streams: false }, { streams: true }])(
    "is for the key that started it (streamed: $streams)",
    async ({ streams }) => {
      const taskId = `t-own-${streams}`;
      const other = await keyFor(gatehouse, "tools");
      await begin(taskId, "read_a", some, streams);
      for (const method of ["tasks/get", "tasks/result", "tasks/cancel"]) {
        expect(await codeOf(method, taskId, some)).toBeUndefined();
        expect(await codeOf(method, taskId, other)).toBe(-32_602);
      }
    },
  );

  test("is for no other key, even one that may call everything, when it was started by a hidden tool", async () => {
    await begin("t-hidden", "write_a", server.key);
    expect(await codeOf("tasks/get", "t-hidden", server.key)).toBeUndefined();
    expect(await codeOf("tasks/get", "t-hidden", some)).toBe(-32_602);
  });

  test("that this gateway has not seen begin is for keys that may call everything", async () => {
    expect(await codeOf("tasks/get", "t-of-another-gateway", server.key)).toBeUndefined();
  });

  test("of another caller is in no list of tasks", async () => {
    await begin("t-mine", "read_a", some);
    await begin("t-yours", "read_a", server.key);
    const result = { tasks: [{ taskId: "t-mine" }, { taskId: "t-yours" }, { taskId: "t-unseen" }] };
    const reply = { jsonrpc: "2.0", id: 1, result };
    const listed = async (key: string) => {
      const { result: own = {} } = rpcOf(await ask("tasks/list", {}, key));
      return (own["tasks"] as { taskId: string }[]).map(({ taskId }) => taskId); // as the server sends them
    };
    upstream.respond(json(200, reply));
    expect(await listed(some)).toEqual(["t-mine"]);
    expect(await listed(server.key)).toEqual(["t-yours", "t-unseen"]);
    upstream.respond(events([sse(reply)]));
    expect(sseMessages((await ask("tasks/list", {})).text)).toEqual([
      { jsonrpc: "2.0", id: 1, result: { tasks: [{ taskId: "t-mine" }] } },
    ]);
  });
});
