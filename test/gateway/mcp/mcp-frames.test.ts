import { describe, expect, test } from "vitest";
import { mcpFrames } from "../../../src/gateway/mcp/mcp-frames.ts";
import type { McpRequest } from "../../../src/gateway/mcp/mcp-request.ts";
import { mcpRequest, nothingSeen } from "../../../src/gateway/mcp/mcp-request.ts";
import { UpstreamBody } from "../../../src/gateway/upstream-body.ts";
import { createTaskOwners } from "../../../src/mcp/task-owners.ts";
import type { JsonRpcMessage } from "../../../src/mcp/wire/json-rpc.ts";
import type { Exchange, Operation } from "../../../src/pipeline/exchange.ts";
import type { ManualClock } from "../../kit/manual-clock.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import { mcpExchange } from "./mcp-exchange.ts";
import { sse, textResult } from "./published-server.ts";

interface Stream {
  readonly body: UpstreamBody;
  readonly clock: ManualClock;
  readonly exchange: Exchange;
  readonly frames: AsyncIterator<{ readonly bytes: Uint8Array }>;
  readonly isFree: () => boolean;
}

function open(message: JsonRpcMessage | undefined): Stream {
  let free = false;
  const body = new UpstreamBody({ pause: () => undefined, resume: () => undefined, abort: () => void (free = true) });
  const own: McpRequest = {
    type: message === undefined ? "stream" : "message",
    message,
    era: "legacy",
    protocolVersion: "2025-11-25",
    session: undefined,
    target: { type: undefined, names: [] },
    mirrored: new Map(),
    seen: nothingSeen(),
  };
  const exchange = mcpExchange();
  const operation: Operation = {
    id: exchange.id,
    parentId: undefined,
    kind: "x",
    name: "",
    stream: true,
    body: Buffer.alloc(0),
    message: own,
    usage: undefined,
  };
  exchange.operations.push(operation);
  const clock = manualClock();
  const frames = mcpFrames(body, { exchange, operation, clock, tasks: createTaskOwners() })[Symbol.asyncIterator]();
  return { body, clock, exchange, frames, isFree: () => free };
}

const text = async (frame: Promise<IteratorResult<{ readonly bytes: Uint8Array }>>): Promise<string> => {
  const { value } = (await frame) as IteratorYieldResult<{ readonly bytes: Uint8Array }>; // the tests await what was sent
  return Buffer.from(value.bytes).toString("utf8");
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a stream on which the server is silent", () => {
  test("carries a comment now and then, so that nobody takes it for dead", async () => {
    const { clock, frames, body } = open(undefined);
    for (let at = 0; at < 3; at += 1) {
      const next = frames.next();
      await turn();
      clock.advance(25_000);
      expect(await text(next)).toMatch(/^:.*\n\n$/);
    }
    const next = frames.next();
    body.push(Buffer.from(sse({ jsonrpc: "2.0", method: "notifications/x" })));
    expect(await text(next)).toContain("notifications/x");
  });

  test("loses nothing to its heartbeats, and carries none within an event", async () => {
    const { clock, frames, body } = open({ type: "request", id: 1, method: "tools/call", params: {} });
    const event = sse(textResult(1, "whole"));
    const next = frames.next();
    body.push(Buffer.from(event.slice(0, 20)));
    await turn();
    clock.advance(25_000);
    expect(await text(next)).toMatch(/^:/);
    body.push(Buffer.from(event.slice(20)));
    expect(await text(frames.next())).toBe(event);
  });

  test("lets go of the upstream when its reader leaves", async () => {
    const { clock, frames, isFree } = open(undefined);
    const next = frames.next();
    await turn();
    clock.advance(25_000);
    await next;
    await frames.return?.();
    expect(isFree()).toBe(true);
  });
});

test("a stream of days tells each of the server's requests as it passes, keeps none, and relays all", async () => {
  const { frames, body, exchange } = open(undefined);
  const told: Operation[] = [];
  exchange.recordAside = (operation) => void told.push(operation);
  const requests = Array.from({ length: 1_500 }, (_, id) => sse({ jsonrpc: "2.0", id, method: "ping" })).join("");
  body.push(Buffer.from(requests));
  let relayed = "";
  for (let at = 0; at < 1_500; at += 1) {
    relayed += await text(frames.next());
    expect(told.length).toBe(at); // it has passed when the next one is asked for
  }
  body.end();
  expect((await frames.next()).done).toBe(true);
  expect(relayed).toBe(requests);
  expect(told.length).toBe(1_500);
  expect(told.at(-1)).toMatchObject({ kind: "ping", parentId: exchange.id });
  expect(exchange.operations.length).toBe(1);
});

test("a server's request that is refused on its way has no row", async () => {
  const { frames, body, exchange } = open(undefined);
  let rows = 0;
  exchange.recordAside = () => void (rows += 1);
  body.push(Buffer.from(sse({ jsonrpc: "2.0", id: 1, method: "ping" })));
  await frames.next();
  await frames.return?.();
  expect(rows).toBe(0);
});

describe("a server that asks without end", () => {
  const ask = (id: number) => sse({ jsonrpc: "2.0", id, method: "sampling/createMessage", params: {} });

  test("gets a thousand rows at once and one more for each second; the others are counted, and all are relayed", async () => {
    const { body, clock, exchange, frames } = open(undefined);
    let rows = 0;
    exchange.recordAside = () => {
      rows += 1;
    };
    Object.assign(exchange, { startedMonotonicMs: clock.monotonic() });
    const pass = async (count: number): Promise<void> => {
      for (let id = 0; id < count; id += 1) {
        const next = frames.next();
        body.push(Buffer.from(ask(id)));
        expect(await text(next)).toBe(ask(id));
      }
    };
    await pass(1_500);
    expect(rows).toBe(1_000);
    clock.advance(10_000);
    await pass(100);
    void frames.next(); // the last one's row is written when its reader comes for more
    await turn();
    const [operation] = exchange.operations;
    if (operation === undefined) throw new TypeError("open() has made one");
    const { seen } = mcpRequest(operation);
    expect([rows, seen.serverRequests, seen.rowsLeftOut]).toEqual([1_010, 1_600, 590]);
  });
});
