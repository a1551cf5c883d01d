import type { StrategyPlugin } from "../../pipeline/define-strategy.ts";
import { content } from "./content.ts";
import { costQuality } from "./cost-quality.ts";
import { failover } from "./failover.ts";
import { intelligent } from "./intelligent.ts";
import { leastBusy } from "./least-busy.ts";
import { leastCost } from "./least-cost.ts";
import { leastLatency } from "./least-latency.ts";
import { roundRobin } from "./round-robin.ts";
import { semantic } from "./semantic.ts";
import { sticky } from "./sticky.ts";
import { weighted } from "./weighted.ts";

/** All routing strategies of this build. */
export const strategies: readonly StrategyPlugin[] = [
  content,
  costQuality,
  failover,
  intelligent,
  leastBusy,
  leastCost,
  leastLatency,
  roundRobin,
  semantic,
  sticky,
  weighted,
];
