import type { Exchange } from "./exchange.ts";

/** Whether a guardrail has taken something out of the request or its answer, or put something in. */
export function editedByGuardrails({ api, snapshot, principal, decisions }: Exchange): boolean {
  if (decisions.length === 0) return false;
  const plan = principal?.planId === undefined ? undefined : snapshot.plans.get(principal.planId);
  const chains = plan === undefined ? [api.chain] : [api.chain, plan];
  const guardrails = new Set(
    chains
      .flatMap(({ request, response }) => [...request, ...response])
      .filter(({ guardrail }) => guardrail !== undefined)
      .map(({ place }) => place),
  );
  return decisions.some(
    ({ place, action, mode }) => action === "rewrite" && mode === "enforce" && guardrails.has(place),
  );
}
