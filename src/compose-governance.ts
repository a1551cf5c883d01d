import type { CoreContext } from "./core/core-context.ts";
import type { Governance } from "./governance/create-governance.ts";
import { createGovernance } from "./governance/create-governance.ts";
import { createRulesetEvaluator } from "./governance/create-ruleset-evaluator.ts";
import { createSpectralChild } from "./governance/spectral-child.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import type { EventSink } from "./pipeline/event.ts";

/** Governance with a process of its own for rulesets, which starts at the first one that is evaluated. */
export function composeGovernance(
  context: () => CoreContext,
  { clock, log, sink }: { readonly clock: Clock; readonly log: Log; readonly sink: EventSink },
): Governance {
  return createGovernance(
    context,
    createRulesetEvaluator({ clock, log, startChild: () => createSpectralChild({ clock }) }),
    sink.governance,
  );
}
