import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";

/** The targets in the order of their list: each next one is for when those before it fail. */
export const failover = defineStrategy({
  id: "failover",
  title: "Failover",
  summary: "The first target of the list; the next ones when it fails.",
  config: z.strictObject({}),
  examples: [{}],
  compile: () => ({ choose: (targets) => targets }),
});
