import { describe, expect, test } from "vitest";
import type { PolicyHandlers } from "../../src/pipeline/define-policy.ts";
import type { Answer, Exchange, Frame } from "../../src/pipeline/exchange.ts";
import { deny } from "../../src/pipeline/outcome.ts";
import type { LimitGate } from "../../src/pipeline/run-limits.ts";
import { runAdmit, runRecord, runRequest, runResponse } from "../../src/pipeline/run-steps.ts";
import type { Attachment, CompiledChain } from "../../src/pipeline/snapshot.ts";
import { attach, buildExchange, buildOperation, planId } from "../kit/exchange.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { textFrame } from "../kit/text-adapter.ts";

const none: CompiledChain = { identify: [], admit: [], charges: [], request: [], recall: [], response: [], record: [] };
const operation = buildOperation();

function policy(handlers: PolicyHandlers, parts: Partial<Attachment> = {}): Attachment {
  return {
    ...attach({ phases: [], inspect: () => ({ type: "pass" }) }, parts),
    guardrail: undefined,
    policy: handlers,
    use: parts.use ?? "test",
  };
}

function exchangeWith(chain: Partial<CompiledChain>): Exchange {
  return buildExchange({ api: { chain: { ...none, ...chain } } });
}

const noLimits: LimitGate = { admit: () => undefined, settle: () => undefined };
const tools = () => ({ log: memoryLog(), limits: noLimits, clock: manualClock() });
const no = deny("limit.exceeded", "Enough.");
const broken = (): never => {
  throw new Error("broken");
};

describe("a policy that refuses", () => {
  test("ends the operation, and the next ones are not asked", async () => {
    const asked: string[] = [];
    const exchange = exchangeWith({
      admit: [
        policy({ admit: () => void asked.push("first") }),
        policy({ admit: () => no }, { use: "second" }),
        policy({ admit: () => void asked.push("third") }),
      ],
    });
    expect(await runAdmit(exchange, operation, tools())).toEqual({ type: "denied", deny: no, by: "second" });
    expect(asked).toEqual(["first"]);
    expect(exchange.decisions).toMatchObject([
      { policy: "second", step: "admit", action: "deny", code: "limit.exceeded" },
    ]);
  });

  test("in monitor mode is noted and passed", async () => {
    const exchange = exchangeWith({ admit: [policy({ admit: () => no }, { mode: "monitor" })] });
    expect(await runAdmit(exchange, operation, tools())).toBeUndefined();
    expect(exchange.decisions).toMatchObject([{ action: "deny", mode: "monitor" }]);
  });

  test("is not asked where it does not apply", async () => {
    const exchange = exchangeWith({ admit: [policy({ admit: () => no }, { applies: () => false })] });
    expect(await runAdmit(exchange, operation, tools())).toBeUndefined();
    expect(exchange.decisions).toEqual([]);
  });
});

describe("a policy that breaks", () => {
  test.each([
    ["at once", broken],
    ["later", () => Promise.reject(new Error("broken"))],
    ["with nothing to say", () => Promise.reject(undefined)],
  ])("%s refuses, and its text stays in the log", async (_name, admit) => {
    const log = memoryLog();
    const outcome = await runAdmit(exchangeWith({ admit: [policy({ admit })] }), operation, {
      log,
      clock: manualClock(),
      limits: noLimits,
    });
    expect(outcome).toMatchObject({ type: "denied", deny: { code: "policy.failed" } });
    expect(JSON.stringify(outcome)).not.toContain("broken");
    expect(log.lines).toMatchObject([{ level: "error", message: "a policy failed" }]);
  });

  test.each([
    ["is set to continue", { onError: "continue" as const }],
    ["only monitors", { mode: "monitor" as const }],
  ])("and %s lets pass and is noted", async (_name, parts) => {
    const exchange = exchangeWith({ admit: [policy({ admit: broken }, parts), policy({ admit: () => no })] });
    expect(await runAdmit(exchange, operation, tools())).toMatchObject({ deny: no });
    expect(exchange.decisions[0]).toMatchObject({ action: "error", step: "admit" });
  });
});

test("an API's policies run before its plan's, in their order, whether they answer at once or later", async () => {
  const asked: string[] = [];
  const says = (name: string, later: boolean) =>
    policy({ request: () => (later ? Promise.resolve().then(() => void asked.push(name)) : void asked.push(name)) });
  const exchange: Exchange = {
    ...exchangeWith({ request: [says("a", true), says("b", false)] }),
    snapshot: {
      configHash: "0",
      apis: [],
      plans: new Map([[planId as string, { ...none, request: [says("c", true), says("d", false)] }]]),
      notServed: [],
      retire: () => undefined,
      dispose: async () => undefined,
    },
  };
  if (exchange.principal) exchange.principal = { ...exchange.principal, planId };
  expect(await runRequest(exchange, operation, tools())).toBeUndefined();
  expect(asked).toEqual(["a", "b", "c", "d"]);
});

describe("the response step", () => {
  function streamed() {
    let isLetGo = false;
    const frames: AsyncIterableIterator<Frame> = {
      next: () => Promise.resolve({ done: true, value: undefined }),
      return() {
        isLetGo = true;
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => frames,
    };
    const answer: Answer = { status: 200, headers: {}, body: { type: "stream", frames } };
    return { answer, isLetGo: () => isLetGo };
  }

  test("asks policies about streams too, and lets go of one that is refused", async () => {
    const { answer, isLetGo } = streamed();
    const outcome = await runResponse(
      exchangeWith({ response: [policy({ response: () => no })] }),
      operation,
      answer,
      tools(),
    );
    expect(outcome).toMatchObject({ type: "denied", deny: no });
    expect(isLetGo()).toBe(true);
  });

  test("lets go of the upstream of a stream that nobody has begun to read", async () => {
    let isLetGo = false;
    async function* frames(): AsyncGenerator<Frame> {
      yield await Promise.resolve(textFrame(["a", "b"])); // never begun, so no `finally` here would run
    }
    const discard = (): void => void (isLetGo = true);
    const answer: Answer = { status: 200, headers: {}, body: { type: "stream", frames: frames(), discard } };
    await runResponse(exchangeWith({ response: [policy({ response: () => no })] }), operation, answer, tools());
    expect(isLetGo).toBe(true);
  });

  test("gives the next policy what the former made of a whole answer", async () => {
    const other: Answer = { status: 203, headers: {}, body: { type: "whole", frame: textFrame(["a", "other"]) } };
    const exchange = exchangeWith({ response: [policy({ response: () => ({ type: "respond", answer: other }) })] });
    const answer: Answer = { status: 200, headers: {}, body: { type: "whole", frame: textFrame(["a", "b"]) } };
    expect(await runResponse(exchange, operation, answer, tools())).toEqual({ type: "answer", answer: other });
  });
});

test("every policy that applies records, also when one before it breaks", async () => {
  const recorded: string[] = [];
  const exchange = exchangeWith({
    record: [
      policy({ record: broken }),
      policy({ record: () => void recorded.push("applies") }),
      policy({ record: () => void recorded.push("does not") }, { applies: () => false }),
    ],
  });
  await runRecord(exchange, operation, { type: "denied", deny: no, by: "test" }, tools());
  expect(recorded).toEqual(["applies"]);
});
