import type { CoreContext } from "./core/core-context.ts";
import type { Governance } from "./governance/create-governance.ts";
import { createGovernance } from "./governance/create-governance.ts";
import { createRulesetEvaluator } from "./governance/create-ruleset-evaluator.ts";
import { createSpectralChild } from "./governance/spectral-child.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";

/** Governance with a process of its own for rulesets, which starts at the first one that is evaluated. */
export function composeGovernance(context: () => CoreContext, { clock, log }: { clock: Clock; log: Log }): Governance {
  return createGovernance(
    context,
    createRulesetEvaluator({ clock, log, startChild: () => createSpectralChild({ clock }) }),
  );
}
