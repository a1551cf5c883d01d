import { describe, expect, test } from "vitest";
import { createTextRedactor } from "../../src/guardrails/redact-text.ts";
import { parseJson } from "../../src/kernel/parse-json.ts";
import { createExchangeCaptures } from "../../src/pipeline/capture-exchanges.ts";
import type { CompiledCapture } from "../../src/pipeline/compile-capture.ts";
import type { CaptureEvent } from "../../src/pipeline/event.ts";
import type { Exchange, Frame } from "../../src/pipeline/exchange.ts";
import type { Outcome } from "../../src/pipeline/outcome.ts";
import { deny } from "../../src/pipeline/outcome.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { requestBody, textAdapter, textFrame, textOf } from "../kit/text-adapter.ts";

const person = "ada.lovelace@example.org";
const usual: CompiledCapture = {
  request: true,
  response: true,
  sample: 1,
  textBytes: 1_000,
  days: 7,
  redact: createTextRedactor([]),
};

function keeping() {
  const kept: CaptureEvent[] = [];
  const log = memoryLog();
  let lost = 0;
  const sink = { record: (event: CaptureEvent) => void kept.push(event), lost: () => void (lost += 1) };
  return { kept, log, captures: createExchangeCaptures({ sink, log }), lost: () => lost };
}

function exchangeWith(capture: CompiledCapture | undefined, id = "00000000"): Exchange {
  const exchange = buildExchange({ api: { capture } });
  return { ...exchange, id: `0199f3a0-0000-7000-8000-0000${id}` as Exchange["id"] }; // an id like any other
}

const asking = (text: string) => buildOperation({ body: requestBody(["q", text]) });
const whole = (frame: Frame): Outcome => ({
  type: "answer",
  answer: { status: 200, headers: {}, body: { type: "whole", frame } },
});
const streamed = (frames: AsyncIterable<Frame>): Outcome => ({
  type: "answer",
  answer: { status: 200, headers: {}, body: { type: "stream", frames } },
});
async function* letters(text: string): AsyncGenerator<Frame> {
  for (const letter of text) yield textFrame(["text", letter]);
}
const textsOf = (json: string | undefined) => (parseJson(json ?? "[]") as { text: string }[]).map(({ text }) => text); // as the module itself writes it

describe("texts of an API that asks for it", () => {
  test("are kept of the request and of a whole answer, without what is personal", async () => {
    const { kept, captures, lost } = keeping();
    const [exchange, operation] = [exchangeWith(usual), asking(`I am ${person}.`)];
    exchange.operations.push(operation);
    await captures.listen(exchange, operation, whole(textFrame(["text", `Hello, ${person}!`])));
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
    expect([textsOf(kept[0]?.request), textsOf(kept[0]?.response)]).toEqual([["I am [email]."], ["Hello, [email]!"]]);
    expect(kept).toMatchObject([{ exchange_id: exchange.id, kept_days: 7, redactions: 2, is_cut: false }]);
    expect([kept.length, lost()]).toEqual([1, 0]);
  });

  test("are put together of a stream, which reaches the client as it is", async () => {
    const { kept, captures } = keeping();
    const [exchange, operation] = [exchangeWith(usual), asking("Who?")];
    exchange.operations.push(operation);
    const outcome = await captures.listen(exchange, operation, streamed(letters(`It is ${person}.`)));
    const frames: Frame[] = [];
    if (outcome.type === "answer" && outcome.answer.body.type === "stream")
      for await (const frame of outcome.answer.body.frames) frames.push(frame);
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
    expect(textOf(frames)).toBe(`It is ${person}.`);
    expect(textsOf(kept[0]?.response)).toEqual(["It is [email]."]);
  });

  test("are kept as far as they came when the client leaves in the middle of a stream", async () => {
    const { kept, captures } = keeping();
    const [exchange, operation] = [exchangeWith(usual), asking("Who?")];
    exchange.operations.push(operation);
    const outcome = await captures.listen(exchange, operation, streamed(letters("It is she.")));
    if (outcome.type === "answer" && outcome.answer.body.type === "stream") {
      let count = 0;
      for await (const _ of outcome.answer.body.frames) if (++count === 5) break;
    }
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
    expect(textsOf(kept[0]?.response)).toEqual(["It is"]);
  });

  test("of a refused request are its own, and of parts that nobody asked for there are none", async () => {
    const { kept, captures } = keeping();
    const outcome: Outcome = { type: "denied", deny: deny("limit.exceeded", "Enough."), by: "quota" };
    for (const plan of [usual, { ...usual, request: false }]) {
      const [exchange, operation] = [exchangeWith(plan), asking("Who?")];
      exchange.operations.push(operation);
      await captures.listen(exchange, operation, outcome);
      captures.finish(exchange);
    }
    await captures[Symbol.asyncDispose]();
    expect(kept.map(({ request, response }) => [textsOf(request), response])).toEqual([[["Who?"], "[]"]]);
  });
});

describe("the bounds", () => {
  test("of a request the last texts are kept, of an answer the first, within the bytes", async () => {
    const { kept, captures } = keeping();
    const exchange = exchangeWith({ ...usual, textBytes: 64 });
    const operation = buildOperation({ body: requestBody(["a", "ä".repeat(40)], ["b", "now"]) });
    exchange.operations.push(operation);
    await captures.listen(exchange, operation, whole(textFrame(["x", "y".repeat(60)], ["z", "字".repeat(5_000)])));
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
    expect(textsOf(kept[0]?.request)).toEqual(["now", "ä".repeat(30)]);
    expect(textsOf(kept[0]?.response)).toEqual(["y".repeat(60), "字"]);
    expect(kept[0]?.is_cut).toBe(true);
  });

  test("a share of the requests is kept, all of one or nothing", async () => {
    const { kept, captures } = keeping();
    const half = { ...usual, sample: 0.5 };
    for (const id of ["00000000", "7fffffff", "80000000", "ffffffff"]) {
      const [exchange, operation] = [exchangeWith(half, id), asking("Who?")];
      exchange.operations.push(operation);
      await captures.listen(exchange, operation, whole(textFrame(["text", "She."])));
      captures.finish(exchange);
    }
    await captures[Symbol.asyncDispose]();
    expect(kept.map(({ exchange_id: id, response }) => [id.slice(-8), textsOf(response)])).toEqual([
      ["00000000", ["She."]],
      ["7fffffff", ["She."]],
    ]);
  });

  test("more than can be redacted at once is lost, and counted", async () => {
    const { kept, captures, lost } = keeping();
    for (let number = 0; number < 200; number += 1) {
      const exchange = exchangeWith(usual);
      exchange.operations.push(asking(`Number ${number}`));
      captures.finish(exchange);
    }
    await captures[Symbol.asyncDispose]();
    expect(kept.length + lost()).toBe(200);
    expect(lost()).toBeGreaterThan(0);
  });
});

describe("where it cannot be known what a text holds, nothing is kept", () => {
  const broken = () => {
    throw new Error("broken");
  };

  test("when it cannot be redacted", async () => {
    const { kept, captures, lost, log } = keeping();
    const exchange = exchangeWith({ ...usual, redact: broken });
    exchange.operations.push(asking(person));
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
    expect([kept, lost()]).toEqual([[], 1]);
    expect(JSON.stringify(log.lines)).not.toContain(person);
  });

  test("when the stream cannot be read, which reaches the client all the same", async () => {
    const { kept, captures, lost } = keeping();
    const exchange = buildExchange({ api: { capture: usual }, adapter: { ...textAdapter, frameSpans: broken } });
    const operation = asking("Who?");
    exchange.operations.push(operation);
    const outcome = await captures.listen(exchange, operation, streamed(letters("She.")));
    const frames: Frame[] = [];
    if (outcome.type === "answer" && outcome.answer.body.type === "stream")
      for await (const frame of outcome.answer.body.frames) frames.push(frame);
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
    expect(textOf(frames)).toBe("She.");
    expect([kept, lost()]).toEqual([[], 1]);
  });
});

test("an API that asks for nothing, and a gateway that records nothing, keep nothing", async () => {
  const { kept, captures } = keeping();
  const none = createExchangeCaptures({ sink: undefined, log: memoryLog() });
  const answer = whole(textFrame(["text", "She."]));
  for (const [exchange, each] of [[exchangeWith(undefined), captures] as const, [exchangeWith(usual), none] as const]) {
    const operation = asking("Who?");
    exchange.operations.push(operation);
    expect(each.listen(exchange, operation, answer)).toBe(answer);
    each.finish(exchange);
    await each[Symbol.asyncDispose]();
  }
  expect(kept).toEqual([]);
});
