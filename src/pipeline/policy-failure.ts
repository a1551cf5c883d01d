import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { Exchange } from "./exchange.ts";
import type { Deny, Outcome } from "./outcome.ts";
import { deny } from "./outcome.ts";
import type { OnError } from "./plugin.ts";

/** Who failed: an attachment, or a key's own budget. */
export interface FailedPolicy {
  readonly use: string;
  readonly place: string;
  readonly mode: "enforce" | "monitor";
  readonly onError: OnError;
}

/**
 * What it means that a policy threw, whatever it threw: a refusal, unless it only monitors or may be passed over. The
 * error stays in the log and is noted in the exchange.
 */
export function policyFailure(
  exchange: Exchange,
  step: string,
  failed: FailedPolicy,
  error: unknown,
  log: Log,
): Outcome | undefined {
  log.error({ exchange: exchange.id, policy: failed.place, err: error }, "a policy failed");
  return passedOver(exchange, step, failed, toGatewayError(error).code, policyFailed(failed));
}

/** Notes that a policy could not decide; then its mode and `onError` say whether that is the refusal. */
export function passedOver(
  exchange: Exchange,
  step: string,
  { use, place, mode, onError }: FailedPolicy,
  code: Deny["code"],
  refusal: Deny,
): Outcome | undefined {
  exchange.decisions.push({ policy: use, place, step, action: "error", mode, code });
  return mode === "monitor" || onError === "continue" ? undefined : { type: "denied", deny: refusal, by: use };
}

/** The refusal of a policy that failed. Its caller learns no more. */
export function policyFailed({ place }: Pick<FailedPolicy, "place">): Deny {
  return deny("policy.failed", "A policy of this API failed, and it is set to refuse then.", { detail: place });
}
