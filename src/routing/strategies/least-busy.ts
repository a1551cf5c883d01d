import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

/**
 * The target with the fewest requests under way first, in the order of the list where they are as many. A request is
 * under way from its try until its answer begins. Counts in this process.
 */
export const leastBusy = defineStrategy({
  id: "least-busy",
  title: "Least busy",
  summary: "The target that waits for the fewest answers first.",
  config: z.strictObject({}),
  examples: [{}],
  compile() {
    const underWay = new Map<string, number>();
    const countOf = ({ id }: CompiledTarget): number => underWay.get(id) ?? 0;
    return {
      choose: (targets) => targets.toSorted((left, right) => countOf(left) - countOf(right)),
      tried: (target) => void underWay.set(target.id, countOf(target) + 1),
      ended: (target) => void underWay.set(target.id, Math.max(countOf(target) - 1, 0)),
    };
  },
});
