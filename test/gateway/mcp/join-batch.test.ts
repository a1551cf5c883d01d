import { expect, test } from "vitest";
import { joinBatch } from "../../../src/gateway/mcp/join-batch.ts";
import { nothingSeen } from "../../../src/gateway/mcp/mcp-request.ts";
import type { Exchange, Frame } from "../../../src/pipeline/exchange.ts";
import type { Outcome } from "../../../src/pipeline/outcome.ts";
import { buildExchange, buildOperation } from "../../kit/exchange.ts";
import { textResult } from "./published-server.ts";

/** An exchange whose operations are calls with the ids 0, 1, … */
function batchOf(count: number): Exchange {
  const exchange = buildExchange();
  for (let id = 0; id < count; id += 1) {
    const message = { message: { type: "request", id, method: "tools/call", params: {} }, seen: nothingSeen() };
    exchange.operations.push(buildOperation({ id: `op-${id}`, kind: "tools/call", body: Buffer.from("{}"), message }));
  }
  return exchange;
}

function whole(id: number): Outcome {
  const message = textResult(id, "whole");
  const frame: Frame = { bytes: Buffer.from(JSON.stringify(message)), message: () => message };
  return { type: "answer", answer: { status: 200, headers: {}, body: { type: "whole", frame } } };
}

function stream(frames: AsyncIterable<Frame>, discard: () => void): Outcome {
  return { type: "answer", answer: { status: 200, headers: {}, body: { type: "stream", frames, discard } } };
}

function framesOf(joined: Outcome): AsyncIterable<Frame> {
  if (joined.type !== "answer" || joined.answer.body.type !== "stream") throw new TypeError("it is a stream");
  return joined.answer.body.frames;
}

async function* nothing(): AsyncGenerator<Frame> {}

test("lets go of every upstream when its reader leaves at the first event, before any stream was begun", async () => {
  let discarded = 0;
  const outcomes = [whole(0), stream(nothing(), () => (discarded += 1))];
  for await (const _frame of framesOf(joinBatch(batchOf(2), outcomes))) break;
  expect(discarded).toBe(1);
});
