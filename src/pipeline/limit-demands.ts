import type { Log } from "../kernel/log.ts";
import type { ChargeHandlers, OwnBudget } from "./define-policy.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { Charge } from "./limiter.ts";
import type { Outcome } from "./outcome.ts";
import type { FailedPolicy } from "./policy-failure.ts";
import { policyFailure } from "./policy-failure.ts";
import type { Attachment } from "./snapshot.ts";

/** What one policy charges for one operation; never empty. */
export interface Demand extends FailedPolicy {
  readonly policy: Partial<ChargeHandlers>;
  readonly charges: readonly Charge[];
}

/**
 * Adds what everybody charges for this operation: the key's own budgets, then the chains of gateway and API, team,
 * application and plan. The outcome that ends the operation when a policy failed to say and is set to refuse then.
 */
export function addDemands(exchange: Exchange, operation: Operation, log: Log, demands: Demand[]): Outcome | undefined {
  for (const budget of exchange.principal?.budgets ?? none) {
    const failed = addDemand(exchange, operation, { ...budget, mode: "enforce" }, log, demands);
    if (failed !== undefined) return failed;
  }
  for (const attachments of chargingChains(exchange)) {
    for (const attachment of attachments) {
      if (!attachment.applies(exchange, operation)) continue;
      const failed = addDemand(exchange, operation, attachment, log, demands);
      if (failed !== undefined) return failed;
    }
  }
  return undefined;
}

/** Whether anybody may charge for operations of this exchange. */
export function mayBeCharged({ api, snapshot, principal }: Exchange): boolean {
  if (api.chain.charges.length > 0) return true;
  if (principal === undefined) return false;
  const { budgets, planId, applicationId, teamId } = principal;
  if (budgets !== undefined && budgets.length > 0) return true;
  const { plans, holders } = snapshot;
  if (planId !== undefined && (plans.get(planId)?.charges.length ?? 0) > 0) return true;
  if (holders === undefined || holders.size === 0) return false;
  return holders.has(teamId ?? "") || holders.has(applicationId ?? "");
}

const none: readonly never[] = [];

function chargingChains({ api, snapshot, principal }: Exchange): readonly (readonly Attachment[])[] {
  const { planId, applicationId, teamId } = principal ?? {};
  const { holders } = snapshot;
  return [
    api.chain.charges,
    (teamId === undefined ? undefined : holders?.get(teamId)?.charges) ?? none,
    (applicationId === undefined ? undefined : holders?.get(applicationId)?.charges) ?? none,
    (planId === undefined ? undefined : snapshot.plans.get(planId)?.charges) ?? none,
  ];
}

function addDemand(
  exchange: Exchange,
  operation: Operation,
  from: Attachment | (OwnBudget & { readonly mode: "enforce" }),
  log: Log,
  demands: Demand[],
): Outcome | undefined {
  const { use, place, mode, onError, policy } = from;
  try {
    const charges = policy?.charges?.(exchange, operation);
    if (policy === undefined || charges === undefined || charges.length === 0) return undefined;
    demands.push({
      use,
      place,
      mode,
      onError,
      policy,
      charges: mode === "monitor" ? charges.map(unenforced) : charges,
    });
    return undefined;
  } catch (error) {
    return policyFailure(exchange, "admit", from, error, log);
  }
}

function unenforced(charge: Charge): Charge {
  return { ...charge, enforce: false };
}
