import { createRulesetEvaluator } from "../../src/governance/create-ruleset-evaluator.ts";
import type { FindRuleset } from "../../src/governance/read-ruleset.ts";
import { bundleRuleset } from "../../src/governance/read-ruleset.ts";
import type { EvaluateRequest, Evaluation, RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import { packagedRulesets } from "../../src/governance/spectral/ruleset-names.ts";
import type { SpectralChild } from "../../src/governance/spectral-child.ts";
import { createSpectralChild } from "../../src/governance/spectral-child.ts";
import { systemClock } from "../../src/kernel/clock.ts";
import { memoryLog } from "../kit/gatehouse.ts";

/** A real evaluator with its processes; `children` are those that it has made. */
export function startEvaluator(memoryMiB?: number): RulesetEvaluator & { readonly children: readonly SpectralChild[] } {
  const children: SpectralChild[] = [];
  const evaluator = createRulesetEvaluator({
    clock: systemClock,
    log: memoryLog(),
    startChild() {
      const child = createSpectralChild({ clock: systemClock, ...(memoryMiB !== undefined && { memoryMiB }) });
      children.push(child);
      return child;
    },
  });
  return Object.assign(evaluator, { children });
}

/** Holds a YAML document against a ruleset in YAML. */
export async function evaluate(
  evaluator: RulesetEvaluator,
  ruleset: string,
  text: string,
  more: Partial<EvaluateRequest> & { readonly find?: FindRuleset } = {},
): Promise<Evaluation> {
  const { find = async () => undefined, ...request } = more;
  const bundle = await bundleRuleset("mine", ruleset, { find, builtIn: new Set(packagedRulesets) });
  return evaluator.evaluate({ bundle, document: { text, source: "api.yaml" }, ...request });
}
