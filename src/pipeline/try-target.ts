import type { Clock } from "../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { CompiledUpstream } from "./adapter.ts";
import type { Breaker } from "./breaker.ts";
import type { AttemptRecord } from "./event.ts";
import { eventSubject } from "./event-subject.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import { failureOf, unhealthyClasses } from "./failure-class.ts";
import type { CompiledTarget } from "./target.ts";

export interface TryTools {
  readonly upstream: CompiledUpstream;
  readonly breaker: Breaker;
  readonly clock: Clock;
  /** Under which the breaker knows what is called. */
  readonly keys: { readonly target: string; readonly model: string | undefined };
}

/** One try: it is noted in the exchange, and the strategy and the breaker hear how it went. What broke is a value here. */
export async function tryTarget(
  exchange: Exchange,
  operation: Operation,
  target: CompiledTarget,
  { upstream, breaker, clock, keys }: TryTools,
): Promise<Answer | GatewayError> {
  const record = beginAttempt(exchange, operation, target, clock);
  upstream.strategy.tried?.(target);
  upstream.shadow?.strategy.tried?.(target);
  let result: Answer | GatewayError;
  try {
    result = await exchange.api.adapter.call(exchange, operation, target);
  } catch (error) {
    result = toGatewayError(error);
  }
  endAttempt(record, result, clock);
  const health = judge(exchange, result);
  const end = { tookMs: record.durationMs ?? 0, health };
  upstream.strategy.ended?.(target, end);
  upstream.shadow?.strategy.ended?.(target, end);
  const failure = health === "bad" ? faultOf(result) : undefined;
  const restMs = result instanceof GatewayError ? undefined : result.report?.restMs;
  breaker.note(keys.target, health, upstream.breaker, { failure, model: keys.model, restMs });
  return result;
}

/** What a try says of the target's health. The client's leaving and its own bad requests say nothing. */
function judge(exchange: Exchange, result: Answer | GatewayError): "good" | "bad" | "unknown" {
  if (exchange.cancellation.isCancelled) return "unknown";
  const failure = failureOf(result);
  if (failure !== undefined && unhealthyClasses.has(failure)) return "bad";
  if (result instanceof GatewayError) return result.code === "upstream.credentials" ? "bad" : "unknown";
  return "good";
}

/** What was bad about a try, in a word for the list of upstreams. */
function faultOf(result: Answer | GatewayError): string {
  return result instanceof GatewayError ? result.code : `status ${result.report?.status ?? result.status}`;
}

interface RunningAttempt extends AttemptRecord {
  readonly startedMonotonicMs: number;
}

function beginAttempt(exchange: Exchange, operation: Operation, target: CompiledTarget, clock: Clock): RunningAttempt {
  const record: RunningAttempt = {
    operationId: operation.id,
    target: target.id,
    provider: target.providerName,
    peer: target.peer,
    model: target.model ?? eventSubject(exchange, operation).name,
    startedAtMs: clock.now(),
    startedMonotonicMs: clock.monotonic(),
    status: undefined,
    errorCode: undefined,
    firstByteMs: undefined,
    durationMs: undefined,
  };
  keepUsage(exchange, operation);
  exchange.attempts.push(record);
  return record;
}

/** What the try before has told of usage is its own: the next one tells anew. */
function keepUsage(exchange: Exchange, operation: Operation): void {
  const before = exchange.attempts.findLast(({ operationId }) => operationId === operation.id);
  if (before === undefined) return;
  before.usage = operation.usage;
  operation.usage = undefined;
}

function endAttempt(record: RunningAttempt, result: Answer | GatewayError, clock: Clock): void {
  record.durationMs = clock.monotonic() - record.startedMonotonicMs;
  if (result instanceof GatewayError) {
    record.errorCode = result.code;
    return;
  }
  record.status = result.report?.status ?? result.status;
  record.firstByteMs = record.durationMs;
}
