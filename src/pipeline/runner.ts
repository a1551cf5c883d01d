import type { GatewayError } from "../kernel/errors.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { ClientRequest, ClientResponse, Encoded } from "./adapter.ts";
import type { CallTools } from "./call-upstream.ts";
import { callUpstream } from "./call-upstream.ts";
import type { EventSink } from "./event.ts";
import type { Exchange, Operation } from "./exchange.ts";
import { identify } from "./identify.ts";
import type { Deny, Outcome } from "./outcome.ts";
import { recordAside, recordExchange } from "./record-exchange.ts";
import { runAdmit, runRequest, runResponse } from "./run-steps.ts";

export interface RunnerOptions extends CallTools {
  readonly log: Log;
  readonly sink: EventSink;
  /** This gateway's name in events. */
  readonly node: string;
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
    let outcome: Outcome;
    try {
      outcome = refusal === undefined ? await travel(exchange, request, options) : denied(refusal, "accept");
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
    await recordExchange(exchange, outcome, encoded, options);
  };
}

async function travel(exchange: Exchange, request: ClientRequest, options: RunnerOptions): Promise<Outcome> {
  const identified = identify(exchange);
  const refusal = identified instanceof Promise ? await identified : identified;
  if (refusal !== undefined) return refusal;

  const decoded = await exchange.api.adapter.decode(exchange, request);
  if ("type" in decoded) return denied(decoded, "decode");
  exchange.operations.push(...decoded);

  const operation = exchange.operations[0];
  if (operation === undefined) return denied(notUnderstood, "decode");
  return runOperation(exchange, operation, options);
}

/** One operation from admission to its answer. */
export async function runOperation(exchange: Exchange, operation: Operation, options: RunnerOptions): Promise<Outcome> {
  const { adapter } = exchange.api;
  const isNamed = operation.name !== ""; // a list has no name, and shows only what the caller may call
  if (isNamed && exchange.principal?.mayCall?.(operation.name) === false)
    return denied(adapter.notOffered(operation), "authorize");

  const admitted = runAdmit(exchange, operation, options);
  const refused = admitted instanceof Promise ? await admitted : admitted;
  if (refused !== undefined) return refused;
  const requested = runRequest(exchange, operation, options);
  const stopped = requested instanceof Promise ? await requested : requested;
  if (stopped !== undefined) return stopped;

  const answered = adapter.answerLocally?.(exchange, operation);
  const local = answered instanceof Promise ? await answered : answered;
  if (local !== undefined && "type" in local) return denied(local, "route");
  const answer = local ?? (await callUpstream(exchange, operation, options));
  if ("type" in answer) return answer;
  return runResponse(exchange, operation, answer, options);
}

const notUnderstood: Deny = { type: "deny", code: "request.invalid", message: "The request holds nothing to do." };

function denied(deny: Deny, by: string): Outcome {
  return { type: "denied", deny, by };
}

function failed(exchange: Exchange, error: unknown): Outcome {
  const fault: GatewayError = toGatewayError(exchange.signal.aborted ? (exchange.signal.reason ?? error) : error);
  return { type: "failed", error: fault };
}
