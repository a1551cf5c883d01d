import { toNanos } from "../../core/money.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { ModelPrice, PricedTokens } from "../../pipeline/price-table.ts";
import { costOf } from "../../pipeline/price-table.ts";
import type { RouteDecision } from "../../pipeline/route-decision.ts";

export interface SpendingBounds {
  /** 0 for no bound. */
  readonly tokensPerHour: number;
  /** As people write money; undefined for no bound. Needs a price. */
  readonly costPerHour?: string | undefined;
}

export type DecisionSpending = Pick<RouteDecision, "classifierTokens" | "classifierCost">;

/** What decisions of one strategy may take in each hour of this gateway, and what they have taken. */
export interface Spending {
  /** Whether the hour's budget is used up, so that no model is to be asked. */
  isSpent(): boolean;
  /** Counts what a decision took, and gives it for the row; `isEstimated` where the model did not say. */
  take(tokens: PricedTokens, isEstimated: boolean): DecisionSpending;
}

const hourMs = 3_600_000;

/** Nothing is spent at the beginning. Without a price, tokens are counted and money is not. */
export function createSpending(
  { tokensPerHour, costPerHour }: SpendingBounds,
  price: ModelPrice | undefined,
  clock: Pick<Clock, "monotonic">,
): Spending {
  const mostNanos = costPerHour === undefined ? Number.POSITIVE_INFINITY : toNanos(costPerHour);
  const mostTokens = tokensPerHour === 0 ? Number.POSITIVE_INFINITY : tokensPerHour;
  const spent = { hour: 0, tokens: 0, nanos: 0 };
  const turn = (): void => {
    const hour = Math.floor(clock.monotonic() / hourMs);
    if (hour !== spent.hour) Object.assign(spent, { hour, tokens: 0, nanos: 0 });
  };
  return {
    isSpent() {
      turn();
      return spent.tokens >= mostTokens || spent.nanos >= mostNanos;
    },
    take(tokens, isEstimated) {
      turn();
      const { inputTokens: input, outputTokens: output } = tokens;
      const nanos = price === undefined ? 0 : costOf(price, tokens);
      spent.tokens += input + output;
      spent.nanos += nanos;
      return {
        classifierTokens: { input, output, isEstimated },
        ...(price !== undefined && { classifierCost: { nanos, currency: price.currency ?? "USD" } }),
      };
    },
  };
}
