import type { Strategy } from "../../src/pipeline/define-strategy.ts";
import type { CompiledTarget } from "../../src/pipeline/target.ts";
import { buildExchange, buildOperation } from "./exchange.ts";

/** Targets of these weights, called `target-0` and so on. */
export function targetsOf(list: readonly number[]): CompiledTarget[] {
  return list.map((weight, index) => targetCalled(`target-${index}`, weight));
}

/** A target that serves every model. */
export function targetCalled(id: string, weight = 1): CompiledTarget {
  return { id, providerName: "any", endpoint: undefined, weight, model: undefined, serves: () => true };
}

/** The ids of what the strategy chooses now. */
export function order(strategy: Strategy, targets: readonly CompiledTarget[]): string[] {
  const chosen = strategy.choose(targets, buildExchange(), buildOperation());
  if (chosen instanceof Promise) throw new Error("these strategies answer at once");
  return chosen.map(({ id }) => id);
}
