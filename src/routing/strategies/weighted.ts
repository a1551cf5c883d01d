import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

/**
 * Shares the operations out by weight, evenly mixed: in any run of as many choices as the weights add up to, a target
 * comes first as often as its weight says, as long as the same targets are offered. The others follow by weight, then
 * those of weight 0, which are a reserve. Counts in this process.
 *
 * Smooth weighted round robin, as nginx has it: each target gains its weight at every choice, the one that has gained
 * most is taken and pays the sum.
 * @see https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
 */
export const weighted = defineStrategy({
  id: "weighted",
  title: "Weighted",
  summary: "Shares the requests out among the targets by their weights.",
  config: z.strictObject({}),
  examples: [{}],
  compile() {
    const credit = new Map<string, number>();
    return {
      choose(targets) {
        if (targets.length < 2) return targets;
        const first = takeNext(targets, credit);
        return first === undefined ? targets : [first, ...inReserve(targets, first)];
      },
    };
  },
});

// Undefined when all are reserves: then the list's order is as good as any.
function takeNext(targets: readonly CompiledTarget[], credit: Map<string, number>): CompiledTarget | undefined {
  let sum = 0;
  let best: CompiledTarget | undefined;
  let bestCredit = Number.NEGATIVE_INFINITY;
  for (const target of targets) {
    if (target.weight === 0) continue;
    sum += target.weight;
    const gained = (credit.get(target.id) ?? 0) + target.weight;
    credit.set(target.id, gained);
    if (gained > bestCredit) {
      best = target;
      bestCredit = gained;
    }
  }
  if (best !== undefined) credit.set(best.id, bestCredit - sum);
  return best;
}

function inReserve(targets: readonly CompiledTarget[], first: CompiledTarget): CompiledTarget[] {
  return targets.filter((target) => target !== first).sort((left, right) => right.weight - left.weight);
}
