import type { GatewayError } from "../kernel/errors.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { AttemptRecord } from "./event.ts";
import type { Exchange } from "./exchange.ts";
import { siblingOf } from "./run-siblings.ts";

/**
 * Puts the end of each streamed answer into the try that brought it: a try's own measure ends at the answer's headers,
 * and the last one goes on for as long as its stream did. `error` is what broke the exchange, after `durationMs`.
 */
export function endAttempts(exchange: Exchange, durationMs: number, error: GatewayError | undefined): void {
  const fault = error ?? (exchange.cancellation.isCancelled ? toGatewayError(exchange.cancellation.reason) : undefined);
  if (siblingOf(exchange, 0) === undefined) {
    endAttempt(exchange, exchange.attempts.at(-1), durationMs, fault);
    return;
  }
  for (const [place, { id }] of exchange.operations.entries()) {
    const sibling = siblingOf(exchange, place);
    if (sibling === undefined || !sibling.isStream) continue;
    const { outcome, isOver, endedMs } = sibling;
    const ownMs = endedMs === undefined ? durationMs : endedMs - exchange.startedMonotonicMs;
    const ownFault = outcome.type === "failed" ? outcome.error : undefined;
    const last = exchange.attempts.findLast(({ operationId }) => operationId === id);
    endAttempt(exchange, last, ownMs, isOver ? ownFault : fault);
  }
}

function endAttempt(
  exchange: Exchange,
  last: AttemptRecord | undefined,
  endedMs: number,
  fault: GatewayError | undefined,
): void {
  if (last === undefined || last.errorCode !== undefined) return;
  const startedMs = last.startedAtMs - exchange.startedAtMs;
  last.durationMs = Math.max(last.durationMs ?? 0, endedMs - startedMs, 0);
  if (last.status === undefined) return;
  const { code } = fault ?? {};
  // A guardrail that breaks a stream off says nothing of the try.
  if (code?.startsWith("upstream.") || code === "client.closed" || code === "exchange.deadline") last.errorCode = code;
}
