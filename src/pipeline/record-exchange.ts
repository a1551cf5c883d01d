import type { Clock } from "../kernel/clock.ts";
import { errorCodes } from "../kernel/error-codes.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Encoded } from "./adapter.ts";
import type { AttemptBill } from "./attempt-cost.ts";
import { attemptBills } from "./attempt-cost.ts";
import { attemptEvent } from "./attempt-event.ts";
import type { ExchangeCaptures } from "./capture-exchanges.ts";
import { endAttempts } from "./end-attempts.ts";
import type { EventSink } from "./event.ts";
import type { Exchange, Operation } from "./exchange.ts";
import { exchangeEvent } from "./exchange-event.ts";
import type { Outcome } from "./outcome.ts";
import { roundedMs } from "./rounded-ms.ts";
import type { LimitGate } from "./run-limits.ts";
import { siblingOf } from "./run-siblings.ts";
import { runRecord } from "./run-steps.ts";
import { shadowWait } from "./shadow-route.ts";

export interface RecordTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: EventSink;
  readonly node: string;
}

interface LastTools extends RecordTools {
  readonly limits: LimitGate;
  readonly captures?: ExchangeCaptures | undefined;
}

/**
 * The last step, on every path: settles what was charged and what policies hold, and writes one row per operation, one
 * per try and one log line. An exchange that was refused before it was understood has one row too, without an operation.
 */
export function recordExchange(
  exchange: Exchange,
  outcome: Outcome,
  encoded: Encoded,
  tools: LastTools,
): MaybePromise<void> {
  const settled: Outcome = encoded.error === undefined ? outcome : { type: "failed", error: encoded.error };
  const durationMs = tools.clock.monotonic() - exchange.startedMonotonicMs;
  const streamed = outcome.type === "answer" && outcome.answer.body.type === "stream";
  if (streamed || exchange.operations[0]?.stream === true) endAttempts(exchange, durationMs, encoded.error);
  const write = (): void => {
    if (exchange.api.capture !== undefined) tools.captures?.finish(exchange);
    if (tools.sink.isOpen) writeRows(exchange, settled, encoded.status, durationMs, tools);
    logExchange(exchange, settled, encoded.status, durationMs, tools.log);
  };
  const account = (): MaybePromise<void> => {
    const waits = settleAll(exchange, settled, tools);
    return waits.length === 0 ? write() : Promise.all(waits).then(write);
  };
  // What a router in the shadow took to decide is paid too, and known when it has.
  const shadow = shadowWait(exchange);
  return shadow === undefined ? account() : shadow.then(account);
}

function settleAll(exchange: Exchange, settled: Outcome, tools: LastTools): readonly Promise<void>[] {
  const waits: Promise<void>[] = [];
  exchange.operations.forEach((operation, place) => {
    const end = endOf(exchange, place, settled);
    const recorded = runRecord(exchange, operation, end, tools);
    if (recorded instanceof Promise) waits.push(recorded);
    const accounted = tools.limits.settle(exchange, operation, end);
    if (accounted instanceof Promise) waits.push(accounted);
  });
  return waits;
}

function writeRows(
  exchange: Exchange,
  outcome: Outcome,
  status: number,
  durationMs: number,
  { sink, node }: RecordTools,
): void {
  const { startedAtMs } = exchange;
  const all: AttemptBill[] = [];
  const operations = exchange.operations.length === 0 ? [undefined] : exchange.operations;
  for (const [place, operation] of operations.entries()) {
    const end = endOf(exchange, place, outcome);
    const bills = operation === undefined ? [] : attemptBills(exchange, operation, end);
    all.push(...bills);
    const event = exchangeEvent(exchange, operation, end, { status, startedAtMs, durationMs, node, bills });
    const sibling = siblingOf(exchange, place);
    if (sibling === undefined || operation === undefined) sink.record(event);
    else sink.record({ ...event, request_bytes: operation.body.length, response_bytes: sibling.responseBytes });
  }
  for (const [index, attempt] of exchange.attempts.entries()) {
    const bill = all.find((each) => each.attempt === attempt);
    sink.record(attemptEvent(exchange, index, attempt, bill));
  }
}

/** How an operation ended. What breaks an exchange breaks it for all that had not ended by then. */
function endOf(exchange: Exchange, place: number, settled: Outcome): Outcome {
  const sibling = siblingOf(exchange, place);
  if (sibling === undefined) return settled;
  const stands = settled.type !== "failed" || (sibling.isOver && exchange.firstByteMs !== undefined);
  return stands ? sibling.outcome : settled;
}

/** The row of one message that has passed on a stream: it is over at once, and the stream goes on. */
export function recordAside(exchange: Exchange, operation: Operation, { clock, sink, node }: RecordTools): void {
  const row = { status: 200, startedAtMs: clock.now(), durationMs: 0, node, bills: [] };
  const answer = { status: 200, headers: {}, body: { type: "whole", frame: nothing } } as const;
  if (!sink.isOpen) return;
  const event = exchangeEvent(exchange, operation, { type: "answer", answer }, row);
  sink.record({ ...event, decisions: [], request_bytes: 0, response_bytes: 0, first_byte_ms: null });
}

const nothing = { bytes: new Uint8Array(0), message: () => undefined };

function logExchange(exchange: Exchange, outcome: Outcome, status: number, durationMs: number, log: Log): void {
  const fields = { exchange: exchange.id, api: exchange.api.name, status, ms: roundedMs(durationMs) };
  switch (outcome.type) {
    case "answer":
      log.debug(fields, "exchange");
      break;
    case "denied":
      log.info({ ...fields, code: outcome.deny.code, by: outcome.by, detail: outcome.deny.detail }, "exchange denied");
      break;
    case "failed": {
      const { code, detail, cause } = outcome.error;
      if (errorCodes[code].status >= 500) log.warn({ ...fields, code, detail, err: cause }, "exchange failed");
      else log.info({ ...fields, code, detail }, "exchange failed");
    }
  }
}
