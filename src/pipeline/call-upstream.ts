import type { Clock } from "../kernel/clock.ts";
import type { ErrorCode } from "../kernel/error-codes.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { BreakerSettings } from "./adapter.ts";
import type { Breaker } from "./breaker.ts";
import type { AttemptRecord } from "./event.ts";
import { eventSubject } from "./event-subject.ts";
import type { Answer, Exchange, Operation } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import type { CompiledTarget } from "./target.ts";

/** Faults after which another try may help: no answer was used, nothing has reached the client. */
const retryableCodes: ReadonlySet<ErrorCode> = new Set([
  "upstream.unreachable",
  "upstream.reset",
  "upstream.timeout",
  "upstream.unavailable",
  "upstream.invalid",
  "upstream.credentials",
  "upstream.refused_address",
]);

/** Statuses by which a target says that it cannot now; another one may. */
const retryableStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504, 529]);

export interface CallTools {
  readonly clock: Clock;
  readonly breaker: Breaker;
}

/**
 * Routes and calls: the strategy orders the targets that serve the operation, and tries go down that order until one
 * answers or `maxAttempts` are spent. A target is tried again only when the request never reached it (connection
 * refused); a model call that may have run is repeated at another target or not at all, since it costs money.
 */
export async function callUpstream(
  exchange: Exchange,
  operation: Operation,
  { clock, breaker }: CallTools,
): Promise<Answer | Outcome> {
  const { adapter, protocol } = exchange.api;
  const upstream = protocol.upstreams[exchange.principal?.environment ?? "production"];
  const offered = offering(upstream.targets, operation.name);
  if (offered.length === 0) return { type: "denied", deny: adapter.notOffered(operation), by: "route" };

  const chosen = offered.length === 1 ? offered : upstream.strategy.choose(offered, exchange, operation);
  const targets = chosen instanceof Promise ? await chosen : chosen;
  const place = `${exchange.api.id}/${exchange.principal?.environment}`;
  const { breaker: settings, maxAttempts } = upstream;

  let at = nextAdmitted(targets, 0, place, breaker, settings);
  for (let attempt = 1; ; attempt += 1) {
    const target = targets[at];
    if (target === undefined) throw resting(targets, place, breaker);
    const record = beginAttempt(exchange, operation, target, clock);
    upstream.strategy.tried?.(target);
    let result: Answer | GatewayError;
    try {
      result = await adapter.call(exchange, operation, target);
    } catch (error) {
      result = toGatewayError(error);
    }
    endAttempt(record, result, clock);
    const health = judge(exchange, result);
    upstream.strategy.ended?.(target, { tookMs: record.durationMs ?? 0, health });
    breaker.note(`${place}/${target.id}`, health, settings, health === "bad" ? faultOf(result) : undefined);
    const mayTryAgain = attempt < maxAttempts && isRetryable(result) && !exchange.cancellation.isCancelled;
    const next = mayTryAgain ? nextAdmitted(targets, at + 1, place, breaker, settings) : -1;
    if (next >= 0) at = next;
    else if (!mayTryAgain || !wasUnreached(result)) return settle(result);
  }
}

function offering(targets: readonly CompiledTarget[], name: string): readonly CompiledTarget[] {
  const [only] = targets;
  if (targets.length === 1 && only?.serves(name)) return targets; // most APIs, and no list is made for them
  return targets.filter((target) => target.serves(name));
}

/** The next target that is not at rest, or -1. Asked only when its turn comes: the one that is admitted is the trial. */
function nextAdmitted(
  targets: readonly CompiledTarget[],
  from: number,
  place: string,
  breaker: Breaker,
  settings: BreakerSettings,
): number {
  for (let at = from; at < targets.length; at += 1) {
    const target = targets[at];
    if (target !== undefined && breaker.admits(`${place}/${target.id}`, settings)) return at;
  }
  return -1;
}

function isRetryable(result: Answer | GatewayError): boolean {
  return result instanceof GatewayError ? retryableCodes.has(result.code) : retryableStatuses.has(result.status);
}

function wasUnreached(result: Answer | GatewayError): boolean {
  return result instanceof GatewayError && result.code === "upstream.unreachable";
}

function settle(result: Answer | GatewayError): Answer {
  if (result instanceof GatewayError) throw result;
  return result;
}

/** What a try says of the target's health. The client's leaving and its own bad requests say nothing. */
function judge(exchange: Exchange, result: Answer | GatewayError): "good" | "bad" | "unknown" {
  if (exchange.cancellation.isCancelled) return "unknown";
  if (result instanceof GatewayError) return retryableCodes.has(result.code) ? "bad" : "unknown";
  return result.status >= 500 ? "bad" : "good";
}

/** What was bad about a try, in a word for the list of upstreams. */
function faultOf(result: Answer | GatewayError): string {
  return result instanceof GatewayError ? result.code : `status ${result.status}`;
}

function resting(targets: readonly CompiledTarget[], place: string, breaker: Breaker): GatewayError {
  const waits = targets.map((target) => breaker.restMs(`${place}/${target.id}`));
  return new GatewayError(
    "upstream.unavailable",
    "The upstream has failed repeatedly and is given a rest; try again later.",
    {
      detail: `open: ${targets.map(({ id }) => id).join(", ")}`,
      retryAfterMs: Math.max(1, Math.min(...waits)),
    },
  );
}

interface RunningAttempt extends AttemptRecord {
  readonly startedMonotonicMs: number;
}

function beginAttempt(exchange: Exchange, operation: Operation, target: CompiledTarget, clock: Clock): RunningAttempt {
  const record: RunningAttempt = {
    operationId: operation.id,
    target: target.id,
    provider: target.providerName,
    model: target.model ?? eventSubject(exchange, operation).name,
    startedAtMs: clock.now(),
    startedMonotonicMs: clock.monotonic(),
    status: undefined,
    errorCode: undefined,
    firstByteMs: undefined,
    durationMs: undefined,
  };
  exchange.attempts.push(record);
  return record;
}

function endAttempt(record: RunningAttempt, result: Answer | GatewayError, clock: Clock): void {
  record.durationMs = clock.monotonic() - record.startedMonotonicMs;
  if (result instanceof GatewayError) {
    record.errorCode = result.code;
    return;
  }
  record.status = result.status;
  record.firstByteMs = record.durationMs;
}
