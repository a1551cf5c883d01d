import type { Log } from "../kernel/log.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Demand } from "./limit-demands.ts";
import { addDemands, mayBeCharged } from "./limit-demands.ts";
import type { Charge, LimitDecision, Reservation, Taken } from "./limiter.ts";
import type { Deny, Outcome } from "./outcome.ts";
import { deny } from "./outcome.ts";
import { passedOver, policyFailed } from "./policy-failure.ts";
import { createLeaseKeeper } from "./renew-leases.ts";
import type { LimitGateOptions } from "./settle-limits.ts";
import { amountsOf, chargeLater, giveBack, inTime } from "./settle-limits.ts";

export type { LimitGateOptions } from "./settle-limits.ts";

/** Where operations are charged for what they use. */
export interface LimitGate {
  /**
   * Takes what all policies charge for the operation, in one step: the outcome that refuses it, or undefined to go on.
   * Where the limiter fails, each policy's `onError` says whether that refuses. Answers at once where nobody charges.
   */
  admit(exchange: Exchange, operation: Operation): MaybePromise<Outcome | undefined>;
  /**
   * Settles what `admit` took; does nothing where it took nothing, or a second time. Never throws or rejects: when the
   * limiter fails, that is logged and what was reserved stays counted.
   */
  settle(exchange: Exchange, operation: Operation, outcome: Outcome): MaybePromise<void>;
}

/** What an admitted operation holds. */
interface Hold {
  readonly reservation: Reservation;
  readonly demands: readonly Demand[];
}

/** A gate before one limiter. Keeps the leases of operations that last. */
export function createLimitGate(options: LimitGateOptions): LimitGate {
  const { limiter, clock, log } = options;
  const holds = new WeakMap<Operation, Hold>();
  const leases = createLeaseKeeper(limiter, clock, log);

  function decide(exchange: Exchange, operation: Operation, demands: readonly Demand[], taken: Taken) {
    if (!taken.allowed) return refuse(exchange, operation, demands, taken.decisions, log);
    const { reservation, decisions } = taken;
    if (isOpen(reservation, demands)) {
      holds.set(operation, { reservation, demands });
      leases.keep(reservation);
    }
    tell(exchange, operation, demands, decisions, log);
    return undefined;
  }

  return {
    admit(exchange, operation) {
      if (!mayBeCharged(exchange)) return undefined;
      const demands: Demand[] = [];
      const failed = addDemands(exchange, operation, log, demands);
      if (failed !== undefined || demands.length === 0) return failed;
      const first = demands[0];
      const charges = demands.length === 1 && first ? first.charges : demands.flatMap((demand) => demand.charges);
      try {
        const taken = limiter.take(charges);
        if (!(taken instanceof Promise)) return decide(exchange, operation, demands, taken);
        return inTime(taken, options, (late) => giveBack(late, options)).then(
          (later) => decide(exchange, operation, demands, later),
          (error: unknown) => notCounted(exchange, demands, error, log),
        );
      } catch (error) {
        return notCounted(exchange, demands, error, log);
      }
    },
    settle(exchange, operation, outcome) {
      const settled = settleHold(exchange, operation, outcome);
      if (operation.laterUsage === undefined) return settled;
      return Promise.resolve(settled).then(() => chargeLater(exchange, operation, outcome, options));
    },
  };

  function settleHold(exchange: Exchange, operation: Operation, outcome: Outcome): MaybePromise<void> {
    const hold = holds.get(operation);
    if (hold === undefined) return undefined;
    holds.delete(operation);
    leases.letGo(hold.reservation);
    const amounts = hold.demands.flatMap((demand) => amountsOf(exchange, operation, outcome, demand, log));
    const failed = (error: unknown): void =>
      log.warn({ exchange: exchange.id, err: error }, "limits were not settled: what was reserved stays counted");
    try {
      const settled = limiter.settle(hold.reservation, amounts);
      return settled instanceof Promise ? inTime(settled, options).catch(failed) : undefined;
    } catch (error) {
      return failed(error);
    }
  }
}

/** Whether the end of the operation changes anything: what a rate has let through is spent, whatever came of it. */
function isOpen({ charges }: Reservation, demands: readonly Demand[]): boolean {
  for (const { policy } of demands) if (policy.settle !== undefined) return true;
  for (const { rule } of charges) if (rule.type !== "rate") return true;
  return false;
}

/** The refusal of the first policy whose charge did not fit; those that only monitor are noted. */
function refuse(
  exchange: Exchange,
  operation: Operation,
  demands: readonly Demand[],
  decisions: readonly LimitDecision[],
  log: Log,
): Outcome | undefined {
  let outcome: Outcome | undefined;
  eachDemand(demands, decisions, (demand, own) => {
    const place = own.findIndex(({ allowed }) => !allowed);
    const [charge, decision] = [demand.charges[place], own[place]];
    if (charge === undefined || decision === undefined) return;
    const { mode, use } = demand;
    if (mode === "enforce" && outcome !== undefined) return;
    const refusal = refusalOf(exchange, operation, demand, charge, decision, log);
    exchange.decisions.push({
      policy: use,
      place: demand.place,
      step: "admit",
      action: "deny",
      mode,
      code: refusal.code,
    });
    if (mode === "enforce") outcome = { type: "denied", deny: refusal, by: use };
  });
  return outcome;
}

/** Tells the policies how they stand after an admitted take; those that only monitor are noted where they would refuse. */
function tell(
  exchange: Exchange,
  operation: Operation,
  demands: readonly Demand[],
  decisions: readonly LimitDecision[],
  log: Log,
): void {
  if (decisions.some(({ allowed }) => !allowed)) refuse(exchange, operation, demands, decisions, log);
  eachDemand(demands, decisions, (demand, own) => {
    if (demand.mode === "monitor") return;
    try {
      demand.policy.charged?.(exchange, operation, demand.charges, own);
    } catch (error) {
      log.error({ exchange: exchange.id, policy: demand.place, err: error }, "a policy failed to tell of its limit");
    }
  });
}

function eachDemand(
  demands: readonly Demand[],
  decisions: readonly LimitDecision[],
  visit: (demand: Demand, own: readonly LimitDecision[]) => void,
): void {
  let from = 0;
  for (const demand of demands) {
    const to = from + demand.charges.length;
    visit(demand, demands.length === 1 ? decisions : decisions.slice(from, to));
    from = to;
  }
}

function refusalOf(
  exchange: Exchange,
  operation: Operation,
  demand: Demand,
  charge: Charge,
  decision: LimitDecision,
  log: Log,
): Deny {
  try {
    const own = demand.policy.refused?.(exchange, operation, charge, decision);
    if (own !== undefined) return own;
  } catch (error) {
    log.error({ exchange: exchange.id, policy: demand.place, err: error }, "a policy failed to say why it refuses");
    return policyFailed(demand);
  }
  const more = { detail: demand.place, retryAfterMs: decision.retryAfterMs };
  return charge.rule.type === "concurrent"
    ? deny("limit.concurrency", `At most ${charge.rule.limit} may be under way at one time.`, more)
    : deny("limit.exceeded", "A limit that holds for this request is used up.", more);
}

// Policies that only monitor, or may be passed over, are noted as failed; the first other one refuses.
function notCounted(exchange: Exchange, demands: readonly Demand[], error: unknown, log: Log): Outcome | undefined {
  log.error({ exchange: exchange.id, err: error }, "limits could not be counted");
  const refusal = deny("limit.unavailable", "Limits cannot be counted at the moment.", {
    detail: error instanceof Error ? error.message : String(error),
    retryAfterMs: 1_000,
  });
  for (const demand of demands) {
    const outcome = passedOver(exchange, "admit", demand, refusal.code, refusal);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}
