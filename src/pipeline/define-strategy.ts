import type { z } from "zod";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { Exchange, Operation } from "./exchange.ts";
import type { PluginDescription, PluginTools } from "./plugin.ts";
import type { CompiledTarget } from "./target.ts";

/** Orders the targets of one operation: the first is tried first, the rest are what a retry falls over to. */
export interface Strategy {
  /**
   * Asked once per operation with the targets that can serve it, at least one. Answers those to try, in order, never
   * one that was not offered.
   */
  choose(
    targets: readonly CompiledTarget[],
    exchange: Exchange,
    operation: Operation,
  ): MaybePromise<readonly CompiledTarget[]>;
  /** A try at a target begins. */
  tried?(target: CompiledTarget): void;
  /** That try is over: its answer has begun, or it has failed. Told once for each. */
  ended?(target: CompiledTarget, end: TryEnd): void;
  dispose?(): MaybePromise<void>;
}

/** How a try went. */
export interface TryEnd {
  /** To the first byte of the answer, or to the fault. */
  readonly tookMs: number;
  /** What it says of the target; `unknown` where the client left, or its own request was at fault. */
  readonly health: "good" | "bad" | "unknown";
}

export interface StrategyPlugin<Config extends z.ZodType = z.ZodType> extends PluginDescription<Config> {
  readonly kind: "strategy";
  compile(config: z.output<Config>, tools: PluginTools): Strategy;
}

/** Declares a routing strategy; pure. Put it in its own file and in the list of `routing/strategies/index.ts`. */
export function defineStrategy<Config extends z.ZodType>(
  plugin: Omit<StrategyPlugin<Config>, "kind">,
): StrategyPlugin<Config> {
  return { ...plugin, kind: "strategy" };
}
