import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RpcAnswer } from "../published-server.ts";
import { keyFor, modernVersion, rpcOf } from "../published-server.ts";
import type { Bridge } from "./bridge-kit.ts";
import { startBridge } from "./bridge-kit.ts";

let bridge: Bridge;

beforeAll(async () => {
  bridge = await startBridge("legacy", { bridge: { park: true, maxParked: 3 } });
});

afterAll(() => bridge[Symbol.asyncDispose]());

interface CallParts {
  readonly message?: string;
  readonly tool?: string;
  readonly key?: string;
  readonly can?: object;
  readonly more?: object;
}

/** A call of the tool that asks, as a client of 2026-07-28 makes it. */
async function call({
  message = "Who?",
  tool = "test_elicitation",
  key,
  can = { elicitation: {} },
  more = {},
}: CallParts) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": can,
  };
  const params = { name: tool, arguments: { message }, ...more, _meta };
  const answer = await bridge.server.post(
    { jsonrpc: "2.0", id: 1, method: "tools/call", params },
    { era: "modern", ...(key !== undefined && { key }) },
  );
  return { status: answer.status, rpc: rpcOf(answer) };
}

const input = { input_1: { action: "accept", content: { username: "ada" } } };

function stateOf({ result }: RpcAnswer): string {
  expect(result?.["resultType"]).toBe("input_required");
  return String(result?.["requestState"]);
}

describe("a call that waits for its client", () => {
  test("goes on with the input, once", async () => {
    const requestState = stateOf((await call({})).rpc);
    const done = await call({ more: { inputResponses: input, requestState } });
    expect(JSON.stringify(done.rpc.result?.["content"])).toContain("action=accept");
    const again = await call({ more: { inputResponses: input, requestState } });
    expect([again.status, again.rpc.error?.code]).toEqual([200, -32_602]);
  });

  test("asks again, with a new state, where the input is not there", async () => {
    const first = stateOf((await call({})).rpc);
    const second = stateOf((await call({ more: { inputResponses: {}, requestState: first } })).rpc);
    expect(second).not.toBe(first);
    const third = await call({ more: { inputResponses: { input_1: "no object" }, requestState: second } });
    const done = await call({ more: { inputResponses: input, requestState: stateOf(third.rpc) } });
    expect(JSON.stringify(done.rpc.result?.["content"])).toContain("accept");
  });

  test("is not given to another caller, to other arguments, or for a state that was altered; its own goes on", async () => {
    const other = await keyFor(bridge.gatehouse, "bridged");
    const requestState = stateOf((await call({})).rpc);
    const more = { inputResponses: input, requestState };
    const at = requestState.length - 5;
    const altered = `${requestState.slice(0, at)}${requestState[at] === "A" ? "B" : "A"}${requestState.slice(at + 1)}`;
    const tries = [
      await call({ key: other, more }),
      await call({ message: "Somebody else?", more }),
      await call({ tool: "test_sampling", more }),
      await call({ more: { ...more, requestState: altered } }),
    ];
    expect(tries.map(({ rpc }) => rpc.error?.code)).toEqual([-32_602, -32_602, -32_602, -32_602]);
    expect(JSON.stringify((await call({ more })).rpc.result)).toContain("accept");
  });

  test("finds no place when too many wait already", async () => {
    const states = [];
    for (const message of ["1", "2", "3"]) states.push(stateOf((await call({ message })).rpc));
    const refused = await call({ message: "4" });
    expect([refused.status, refused.rpc.error?.data?.["code"]]).toEqual([429, "limit.concurrency"]);
    for (const [at, requestState] of states.entries()) {
      const more = { inputResponses: input, requestState };
      expect((await call({ message: String(at + 1), more })).rpc.error).toBeUndefined();
    }
  });
});

test("a client that cannot be asked is told what it lacks", async () => {
  const { status, rpc } = await call({ can: {} });
  // The server may look at what the client can by itself, and then says so in the tool's own words.
  if (rpc.error === undefined) expect(rpc.result?.["isError"]).toBe(true);
  else
    expect([status, rpc.error.code, rpc.error.data]).toEqual([
      400,
      -32_021,
      { requiredCapabilities: { elicitation: {} } },
    ]);
});

test("a filter of more resources than anybody watches is refused", async () => {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const resourceSubscriptions = Array.from({ length: 1_001 }, (_, at) => `test://${at}`);
  const params = { notifications: { resourceSubscriptions }, _meta };
  const listen = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params };
  expect(rpcOf(await bridge.server.post(listen, { era: "modern" })).error?.code).toBe(-32_602);
});

test("a state that nobody here has given is refused, and the tool does not run", async () => {
  const { rpc } = await call({ more: { requestState: "made-up", inputResponses: input } });
  expect(rpc.error?.code).toBe(-32_602);
});

test("where calls may not wait, the client is told so by name", async () => {
  await using unparked = await startBridge("legacy");
  const client = await unparked.client("modern");
  await expect(client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } })).rejects.toThrow(
    /2025-11-25.*upstream\.bridge\.park/,
  );
  const { content } = await client.callTool({ name: "echo", arguments: { text: "still here" } });
  expect(content).toEqual([{ type: "text", text: "still here" }]);
});
