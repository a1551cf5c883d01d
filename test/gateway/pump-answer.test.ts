import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { bodilessRequest } from "../../src/gateway/llm/llm-request.ts";
import { LlmStream } from "../../src/gateway/llm/llm-stream.ts";
import { LlmStreamReader } from "../../src/gateway/llm/llm-stream-reader.ts";
import { pumpAnswer } from "../../src/gateway/pump-answer.ts";
import { UpstreamBody } from "../../src/gateway/upstream-body.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { ClientResponse } from "../../src/pipeline/adapter.ts";
import { openAiUsage } from "../../src/routing/providers/openai-usage.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";
import { manualClock } from "../kit/manual-clock.ts";

const event = Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n');
const provider = {
  baseUrl: "http://127.0.0.1",
  streamUsage: true,
  usage: openAiUsage,
  request: () => ({ method: "POST" as const, path: "/", headers: {}, body: undefined }),
};

/** A client that takes nothing until `drain`, and an upstream that tells whether it is held back. */
async function scene(eventsBefore: number) {
  const clock = manualClock();
  const upstream = { isHeld: false, isLetGo: false };
  const body = new UpstreamBody({
    pause: () => void (upstream.isHeld = true),
    resume: () => void (upstream.isHeld = false),
    abort: () => void (upstream.isLetGo = true),
  });
  const operation = buildOperation({ stream: true, message: bodilessRequest("chat") });
  const reader = new LlmStreamReader({
    operation,
    provider,
    stripUsage: false,
    maxEventBytes: 1_000_000,
    isJudged: false,
  });
  const stream = new LlmStream(body, reader, clock);
  for (let at = 0; at < eventsBefore; at += 1) body.push(event);
  const client = { takes: false, written: 0, isClosed: false };
  const response = Object.assign(new EventEmitter(), {
    destroyed: false,
    headersSent: false,
    writableLength: 0,
    writeHead: () => void (response.headersSent = true),
    write(bytes: Uint8Array) {
      client.written += bytes.length;
      return client.takes;
    },
    end: () => undefined,
    destroy: () => void (client.isClosed = true),
  });
  const exchange = buildExchange();
  const encoded = pumpAnswer(exchange, 200, await stream.start(), {}, response as unknown as ClientResponse, {
    clock,
    stalledMs: 60_000,
    errorFrame: (error) => Buffer.from(error.code),
  });
  return { body, client, clock, encoded, exchange, response, upstream };
}

describe("a client that takes nothing", () => {
  test("holds the upstream back, also when the stream's first events are what it does not take", async () => {
    const { upstream, client, response, body } = await scene(2);
    expect(upstream.isHeld).toBe(true);
    client.takes = true;
    response.emit("drain");
    expect(upstream.isHeld).toBe(false);
    body.push(event);
    expect([client.written, upstream.isHeld]).toEqual([3 * event.length, false]);
  });

  test("is let go after its time, and the upstream with it", async () => {
    const { clock, encoded, client, upstream } = await scene(1);
    clock.advance(60_000);
    expect(await encoded).toMatchObject({ status: 499, error: { code: "client.closed" } });
    expect([client.isClosed, upstream.isLetGo]).toEqual([true, true]);
  });
});

test("a stream that breaks off ends with the error of its dialect", async () => {
  const { body, encoded } = await scene(1);
  body.fail(new GatewayError("upstream.reset", "cut"));
  expect(await encoded).toMatchObject({ status: 200, error: { code: "upstream.reset" } });
});

test("a client that has left ends it at the next event", async () => {
  const { body, encoded, exchange, upstream } = await scene(1);
  exchange.cancellation.cancel(new GatewayError("client.closed", "gone"));
  body.push(event);
  expect(await encoded).toMatchObject({ status: 499 });
  expect(upstream.isLetGo).toBe(true);
});
