import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CollectedTexts, KeptTexts } from "./capture-texts.ts";
import { collectLastTexts, collectTexts, keepTexts } from "./capture-texts.ts";
import type { CompiledCapture } from "./compile-capture.ts";
import type { CaptureSink } from "./event.ts";
import type { Exchange, Frame, FrameStream, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";

/** Keeps texts of APIs that ask for it. Disposing waits for those that are on their way. */
export interface ExchangeCaptures extends AsyncDisposable {
  /** Listens to the answer that the client will get; it goes on as it is. */
  listen(exchange: Exchange, operation: Operation, outcome: MaybePromise<Outcome>): MaybePromise<Outcome>;
  /** Call it when the exchange is over. Returns at once; texts are redacted and handed on between other work. */
  finish(exchange: Exchange): void;
}

export interface ExchangeCapturesParts {
  readonly sink: CaptureSink | undefined;
  readonly log: Log;
}

/** Exchanges and bytes of their messages that wait to be redacted; what comes then is lost, and counted. */
const mostWaiting = 128;
const mostWaitingBytes = 16 * 1_048_576;
/** Bytes of a message in which texts are looked for. */
const largestMessage = 2 * 1_048_576;

/** Nothing leaves this but what `redact` has let through: where that fails, nothing is kept. */
export function createExchangeCaptures({ sink, log }: ExchangeCapturesParts): ExchangeCaptures {
  const answers = new WeakMap<Operation, Heard>();
  const waiting: (() => void)[] = [];
  let waitingBytes = 0;
  let draining: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await nextTurn();
      next();
    }
    draining = undefined;
  };
  const keep = (exchange: Exchange, operation: Operation, plan: CompiledCapture): void => {
    const heard = answers.get(operation);
    const bytes = operation.body.length + (heard?.whole?.bytes.length ?? 0);
    if (waiting.length >= mostWaiting || waitingBytes + bytes > mostWaitingBytes) return sink?.lost();
    waitingBytes += bytes;
    waiting.push(() => {
      waitingBytes -= bytes;
      try {
        record(exchange, operation, heard, plan, sink);
      } catch (error) {
        sink?.lost();
        log.warn({ exchange: exchange.id, api: exchange.api.name, err: error }, "texts could not be redacted");
      }
    });
    draining ??= drain();
  };
  return {
    listen(exchange, operation, outcome) {
      const plan = exchange.api.capture;
      if (sink === undefined || plan?.response !== true || operation.answersOthers || !isSampled(exchange, plan))
        return outcome;
      const listened = (settled: Outcome): Outcome => {
        const heard: Heard = { isBroken: false };
        answers.set(operation, heard);
        return tapped(exchange, operation, settled, heard, plan);
      };
      return outcome instanceof Promise ? outcome.then(listened) : listened(outcome);
    },
    finish(exchange) {
      const plan = exchange.api.capture;
      if (sink === undefined || plan === undefined || !isSampled(exchange, plan)) return;
      for (const operation of exchange.operations) keep(exchange, operation, plan);
    },
    async [Symbol.asyncDispose]() {
      await draining;
    },
  };
}

/** What was heard of an answer. */
interface Heard {
  whole?: Frame;
  streamed?: CollectedTexts;
  /** It cannot be read, so that nobody knows what is in it. */
  isBroken: boolean;
}

/** By the random end of the id, so that all of an exchange is kept or nothing. */
function isSampled({ id }: Exchange, { sample }: CompiledCapture): boolean {
  return sample >= 1 || Number.parseInt(id.slice(-8), 16) < sample * 2 ** 32;
}

function tapped(
  exchange: Exchange,
  operation: Operation,
  outcome: Outcome,
  heard: Heard,
  { textBytes }: CompiledCapture,
): Outcome {
  if (outcome.type !== "answer") return outcome;
  const { body } = outcome.answer;
  if (body.type === "whole") {
    heard.whole = body.frame;
    return outcome;
  }
  const collected = collectTexts(textBytes);
  heard.streamed = collected;
  const { adapter } = exchange.api;
  const hear = (frame: Frame): void => {
    if (collected.isFull || heard.isBroken) return;
    try {
      collected.add(adapter.frameSpans(operation, frame), adapter.cutsText);
    } catch {
      heard.isBroken = true;
    }
  };
  return { ...outcome, answer: { ...outcome.answer, body: { ...body, frames: heardFrames(body.frames, hear) } } };
}

/** Without the push form, which has bytes and no frames. */
function heardFrames(frames: FrameStream, hear: (frame: Frame) => void): FrameStream {
  return {
    [Symbol.asyncIterator]() {
      const iterator = frames[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await iterator.next();
          if (result.done !== true) hear(result.value);
          return result;
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

function record(
  exchange: Exchange,
  operation: Operation,
  heard: Heard | undefined,
  plan: CompiledCapture,
  sink: CaptureSink | undefined,
): void {
  if (heard?.isBroken === true) return sink?.lost();
  const { api, principal } = exchange;
  const request = plan.request ? requestTexts(exchange, operation, plan) : none;
  const response = answerTexts(exchange, operation, heard, plan);
  if (request.json === none.json && response.json === none.json) return;
  sink?.record({
    type: "capture",
    ts: exchange.startedAtMs,
    exchange_id: exchange.id,
    operation_id: operation.id,
    team_id: api.teamId,
    api_id: api.id,
    api_name: api.name,
    environment: principal?.environment ?? null,
    application_id: principal?.applicationId ?? null,
    kept_days: plan.days,
    request: request.json,
    response: response.json,
    is_cut: request.isCut || response.isCut,
    redactions: request.redactions + response.redactions,
  });
}

const none: KeptTexts = { json: "[]", isCut: false, redactions: 0 };
const tooLarge: KeptTexts = { ...none, isCut: true };

function requestTexts({ api }: Exchange, operation: Operation, plan: CompiledCapture): KeptTexts {
  if (operation.body.length > largestMessage) return tooLarge;
  const collected = collectLastTexts(api.adapter.requestSpans(operation), plan.textBytes);
  return keepTexts(collected, plan);
}

function answerTexts(
  { api }: Exchange,
  operation: Operation,
  heard: Heard | undefined,
  plan: CompiledCapture,
): KeptTexts {
  if (heard?.streamed !== undefined) return keepTexts(heard.streamed, plan);
  const { whole } = heard ?? {};
  if (whole === undefined) return none;
  if (whole.bytes.length > largestMessage) return tooLarge;
  const collected = collectTexts(plan.textBytes);
  collected.add(api.adapter.frameSpans(operation, whole), false);
  return keepTexts(collected, plan);
}
