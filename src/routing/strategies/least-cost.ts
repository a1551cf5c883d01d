import { z } from "zod";
import { defineStrategy } from "../../pipeline/define-strategy.ts";
import type { Exchange, Operation } from "../../pipeline/exchange.ts";
import { costOf } from "../../pipeline/price-table.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

const config = z.strictObject({
  outputTokens: z.int().min(0).max(1_000_000).default(500).meta({
    title: "Answer",
    description: "Tokens that an answer is expected to have where the request does not bound it.",
  }),
});

/**
 * The target first where the request is expected to cost the least, by the prices of the target's model for the prompt as
 * long as it is and an answer as long as it may be. A target without a price comes last, for nobody knows what it costs.
 */
export const leastCost = defineStrategy({
  id: "least-cost",
  title: "Least cost",
  summary: "The target with the lowest price for the request first.",
  config,
  examples: [{}, { outputTokens: 2_000 }],
  compile({ outputTokens }) {
    return {
      choose(targets, exchange, operation) {
        const costs = new Map(targets.map((target) => [target, costAt(target, exchange, operation, outputTokens)]));
        return targets.toSorted((left, right) => (costs.get(left) ?? Infinity) - (costs.get(right) ?? Infinity));
      },
    };
  },
});

const bytesPerToken = 4;

function costAt(
  target: CompiledTarget,
  exchange: Exchange,
  operation: Operation,
  expected: number,
): number | undefined {
  const price = target.priceOf?.(target.model ?? operation.name);
  const demand = exchange.api.adapter.tokenDemand?.(exchange, operation);
  if (price === undefined || demand === undefined) return undefined;
  const inputTokens = Math.ceil(demand.textBytes / bytesPerToken) + demand.mediaTokens;
  return costOf(price, { inputTokens, outputTokens: Math.min(demand.outputCap ?? expected, expected) });
}
