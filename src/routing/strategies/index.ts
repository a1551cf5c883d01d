import type { StrategyPlugin } from "../../pipeline/define-strategy.ts";
import { failover } from "./failover.ts";
import { semantic } from "./semantic.ts";
import { weighted } from "./weighted.ts";

/** All routing strategies of this build. */
export const strategies: readonly StrategyPlugin[] = [failover, semantic, weighted];
