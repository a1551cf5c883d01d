import { describe, expect, test } from "vitest";
import type { Exchange, Frame, Operation } from "../../src/pipeline/exchange.ts";
import { exchangeEvent } from "../../src/pipeline/exchange-event.ts";
import { runResponse } from "../../src/pipeline/run-steps.ts";
import type { Attachment } from "../../src/pipeline/snapshot.ts";
import { attach, buildExchange, buildOperation } from "../kit/exchange.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { denier, redactor } from "../kit/stream-guards.ts";
import { textAdapter, textFrame } from "../kit/text-adapter.ts";

const window = { size: 12, overlap: 4 };

/** A piece every ten milliseconds, and what the row says at the end. */
async function rowOf(pieces: readonly Frame[], response: readonly Attachment[], cutsText = true) {
  const clock = manualClock();
  const log = memoryLog();
  const chain = { ...buildExchange().api.chain, response };
  const exchange: Exchange = buildExchange({ adapter: { ...textAdapter, cutsText }, api: { chain } });
  const operation: Operation = buildOperation({ stream: true });
  async function* frames(): AsyncGenerator<Frame> {
    for (const piece of pieces) {
      clock.advance(10);
      yield await Promise.resolve(piece);
    }
  }
  const answer = { status: 200, headers: {}, body: { type: "stream", frames: frames() } } as const;
  const outcome = await runResponse(exchange, operation, answer, { log, clock });
  if (outcome.type !== "answer" || outcome.answer.body.type !== "stream") throw new Error("a stream was expected");
  let error: unknown;
  try {
    for await (const _frame of outcome.answer.body.frames);
  } catch (broken) {
    error = broken;
  }
  const parts = { status: 200, startedAtMs: 0, durationMs: 1, node: "n", bills: [] };
  return { fields: exchangeEvent(exchange, operation, outcome, parts).fields, error, clock };
}

const words = ["one ", "two ", "three ", "four ", "five "].map((word) => textFrame(["text", word]));

describe("the row of a stream that guardrails judge", () => {
  test("tells for how long they have kept back its first text", async () => {
    const { fields, error } = await rowOf([textFrame(), ...words], [attach(redactor(window))]);
    expect(error).toBeUndefined();
    expect(fields["guard_hold_ms"]).toBe(20); // the window of 12 is full with the third word
  });

  test("tells of several what all of them together have", async () => {
    const wide = { size: 20, overlap: 4 };
    const { fields } = await rowOf(words, [attach(redactor(window)), attach(redactor(wide))]);
    expect(fields["guard_hold_ms"]).toBe(40);
  });

  test("tells the whole time where the text is shorter than the window", async () => {
    const { fields } = await rowOf(words.slice(0, 2), [attach(redactor({ size: 100, overlap: 9 }))]);
    expect(fields["guard_hold_ms"]).toBe(10);
  });

  test("tells of messages that are judged one by one how long the first took", async () => {
    const { fields } = await rowOf(words, [attach(redactor(window))], false);
    expect(fields["guard_hold_ms"]).toBe(0);
  });

  test.each([
    { name: "only watch", guards: [attach(redactor(window), { mode: "monitor" })], pieces: words },
    { name: "are none", guards: [], pieces: words },
    { name: "see no text", guards: [attach(redactor(window))], pieces: [textFrame(), textFrame()] },
  ])("tells nothing where guardrails $name", async ({ guards, pieces }) => {
    expect((await rowOf(pieces, guards)).fields).not.toHaveProperty("guard_hold_ms");
  });

  test("tells nothing where the first text is refused", async () => {
    const { fields, error } = await rowOf([textFrame(["text", "aa aa aa aa aa"])], [attach(denier(window))]);
    expect(error).toMatchObject({ code: "guardrail.denied" });
    expect(fields).not.toHaveProperty("guard_hold_ms");
  });
});
