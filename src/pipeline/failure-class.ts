import type { FailureClass } from "../core/failover.ts";
import type { ErrorCode } from "../kernel/error-codes.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Answer } from "./exchange.ts";

/** What an answer says of the target that gave it, beside what it says to the client. */
export interface TargetReport {
  /** What the adapter has read out of the answer; else the status tells. */
  readonly failure?: FailureClass | undefined;
  /** The target asks to be left alone for so long: it has said so, or nothing is left of its own limit. */
  readonly restMs?: number | undefined;
  /** What the target itself has answered with, where the answer does not say it by its own status. */
  readonly status?: number | undefined;
}

const byCode: Partial<Record<ErrorCode, FailureClass>> = {
  "upstream.unreachable": "connection",
  "upstream.reset": "connection",
  "upstream.refused_address": "connection",
  "upstream.timeout": "timeout",
  "upstream.unavailable": "server",
  "upstream.invalid": "invalid-answer",
  "upstream.credentials": "credentials",
  // Of an adapter's try: what it would have had to send does not exist in the target's protocol.
  "request.invalid": "not-carried",
  "request.not_offered": "not-carried",
};

const byStatus: Readonly<Record<number, FailureClass>> = {
  401: "credentials",
  402: "rate-limit",
  403: "credentials",
  407: "credentials",
  408: "timeout",
  409: "server",
  429: "rate-limit",
  504: "timeout",
};

/** Why a try was none; undefined for an answer that stands, be it an error of the client's own. */
export function failureOf(result: Answer | GatewayError): FailureClass | undefined {
  if (result instanceof GatewayError) return byCode[result.code];
  if (result.report?.failure !== undefined) return result.report.failure;
  if (result.status < 400) return undefined;
  return byStatus[result.status] ?? (result.status >= 500 ? "server" : undefined);
}

/** Of such failures the target is to blame whoever asks; of the others, what it was asked. */
export const unhealthyClasses: ReadonlySet<FailureClass> = new Set([
  "connection",
  "timeout",
  "rate-limit",
  "server",
  "invalid-answer",
]);

/** After these the next try is another question rather than the same one again, and costs nothing of a retry budget. */
export const harmlessClasses: ReadonlySet<FailureClass> = new Set([
  "model-not-found",
  "context-window",
  "content-policy",
  "not-carried",
]);
