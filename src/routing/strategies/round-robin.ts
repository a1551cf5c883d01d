import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";

/** Each request begins one target further on; the others follow in the order of the list. Counts in this process. */
export const roundRobin = defineStrategy({
  id: "round-robin",
  title: "Round robin",
  summary: "Takes the targets in turn, whatever their weights.",
  config: z.strictObject({}),
  examples: [{}],
  compile() {
    let turn = 0;
    return {
      choose(targets) {
        const from = turn % targets.length;
        turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
        return from === 0 ? targets : [...targets.slice(from), ...targets.slice(0, from)];
      },
    };
  },
});
