import type { GatewayError } from "../kernel/errors.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { ClientRequest, ClientResponse, Encoded } from "./adapter.ts";
import type { CallTools } from "./call-upstream.ts";
import { callUpstream } from "./call-upstream.ts";
import type { ExchangeCaptures } from "./capture-exchanges.ts";
import type { EventSink } from "./event.ts";
import type { Exchange, Operation } from "./exchange.ts";
import { refused as challenged, identify } from "./identify.ts";
import type { Deny, Outcome } from "./outcome.ts";
import { recordAside, recordExchange } from "./record-exchange.ts";
import type { LimitGate } from "./run-limits.ts";
import { runRecall } from "./run-recall.ts";
import { runSiblings } from "./run-siblings.ts";
import { runAdmit, runRequest, runResponse } from "./run-steps.ts";

export interface RunnerOptions extends CallTools {
  readonly log: Log;
  readonly sink: EventSink;
  readonly limits: LimitGate;
  /** This gateway's name in events. */
  readonly node: string;
  /** Keeps texts of APIs that ask for it; nothing is kept when absent. */
  readonly captures?: ExchangeCaptures | undefined;
}

/**
 * Takes one exchange through all steps. Never rejects: whatever breaks is encoded for the client and recorded. With a
 * `refusal`, which stood before the first step, it is only encoded and recorded.
 */
export type Runner = (
  exchange: Exchange,
  request: ClientRequest,
  response: ClientResponse,
  refusal?: Deny,
) => Promise<void>;

/**
 * The straight line: identify → decode → admit → request → route → call → response → encode → record. A denial or a
 * fault jumps to encode; record always runs, also when the client has left. Nobody's body is read before they are known.
 */
export function createRunner(options: RunnerOptions): Runner {
  return async (exchange, request, response, refusal) => {
    exchange.recordAside = (operation) => recordAside(exchange, operation, options);
    exchange.tracing = options.sink.tracing;
    let outcome: Outcome;
    try {
      const travelled = refusal === undefined ? travel(exchange, request, options) : denied(refusal, "accept");
      outcome = travelled instanceof Promise ? await travelled : travelled;
    } catch (error) {
      outcome = failed(exchange, error);
    }
    let encoded: Encoded;
    try {
      const written = exchange.api.adapter.encode(exchange, outcome, response);
      encoded = written instanceof Promise ? await written : written;
    } catch (error) {
      encoded = { status: response.headersSent ? response.statusCode : 500, error: toGatewayError(error) };
      response.destroy();
    }
    const recorded = recordExchange(exchange, outcome, encoded, options);
    if (recorded instanceof Promise) await recorded;
  };
}

// Each step goes on to the next in the same turn where it has not waited for anything, as most never do: a promise per
// step, and there are a dozen, would cost more than the steps.

function travel(exchange: Exchange, request: ClientRequest, options: RunnerOptions): MaybePromise<Outcome> {
  return then(identify(exchange), (refusal) => {
    if (refusal !== undefined) return refusal;
    return then(exchange.api.adapter.decode(exchange, request), (decoded) => {
      if ("type" in decoded) return denied(decoded, "decode");
      const isBatch = "batch" in decoded;
      for (const each of isBatch ? decoded.batch : decoded) exchange.operations.push(each);
      if (isBatch || decoded.length > 1)
        return runSiblings(exchange, options.clock, (each) => runListened(exchange, each, options));
      const operation = exchange.operations[0];
      return operation === undefined ? denied(notUnderstood, "decode") : runListened(exchange, operation, options);
    });
  });
}

function runListened(exchange: Exchange, operation: Operation, options: RunnerOptions): MaybePromise<Outcome> {
  const outcome = runOperation(exchange, operation, options);
  if (exchange.api.capture === undefined || options.captures === undefined) return outcome;
  return options.captures.listen(exchange, operation, outcome);
}

/** One operation from admission to its answer. */
export function runOperation(exchange: Exchange, operation: Operation, options: RunnerOptions): MaybePromise<Outcome> {
  const { adapter, suspended } = exchange.api;
  if (suspended !== undefined) return denied(suspended, "governance"); // one that another API calls, too
  const isNamed = operation.name !== ""; // a list has no name, and shows only what the caller may call
  if (isNamed && exchange.principal?.mayCall?.(operation.name) === false)
    return denied(adapter.notOffered(operation, exchange), "authorize");
  const forbidden = adapter.authorize?.(exchange, operation);
  if (forbidden !== undefined) return challenged(exchange, forbidden, "authorize");
  return then(runAdmit(exchange, operation, options), (refused) => {
    if (refused !== undefined) return refused;
    return then(runRequest(exchange, operation, options), (stopped) => stopped ?? answer(exchange, operation, options));
  });
}

function answer(exchange: Exchange, operation: Operation, options: RunnerOptions): MaybePromise<Outcome> {
  const local = exchange.api.adapter.answerLocally?.(exchange, operation);
  return then(local, (own) => {
    if (own !== undefined && "type" in own) return denied(own, "route");
    if (own !== undefined) return runResponse(exchange, operation, own, options);
    return then(runRecall(exchange, operation, options), (recollection) => {
      if (recollection.type === "stopped") return recollection.outcome;
      if (recollection.type === "recalled") return runResponse(exchange, operation, recollection.answer, options);
      return callUpstream(exchange, operation, options).then((called) =>
        "type" in called ? called : runResponse(exchange, operation, recollection.heard(called), options),
      );
    });
  });
}

function then<Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> {
  return value instanceof Promise ? value.then(next) : next(value);
}

const notUnderstood: Deny = { type: "deny", code: "request.invalid", message: "The request holds nothing to do." };

function denied(deny: Deny, by: string): Outcome {
  return { type: "denied", deny, by };
}

function failed(exchange: Exchange, error: unknown): Outcome {
  const fault: GatewayError = toGatewayError(exchange.cancellation.reason ?? error);
  return { type: "failed", error: fault };
}
