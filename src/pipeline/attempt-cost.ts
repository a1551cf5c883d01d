import { formatNanos, toNanos } from "../core/money.ts";
import type { TryUse } from "./actual-usage.ts";
import { triesOf } from "./actual-usage.ts";
import type { AttemptRecord, CostColumns } from "./event.ts";
import type { Exchange, Operation, Usage } from "./exchange.ts";
import type { Outcome } from "./outcome.ts";
import { costOf, tierPercent } from "./price-table.ts";
import type { DecisionSpent } from "./route-decision.ts";
import type { CompiledTarget } from "./target.ts";

/** What one try is billed for. */
export interface AttemptBill {
  readonly attempt: AttemptRecord;
  /** Absent where nothing was used, or what was told cannot be true. */
  readonly usage: Usage | undefined;
  /** Billionths of the currency's unit; null where that is not known, or tokens cost nothing there. */
  readonly nanos: number | null;
  readonly currency: string | null;
  readonly source: CostColumns["cost_source"];
  /** The day on which the built-in price was looked up. */
  readonly priceAsOf: string | null;
}

/**
 * What each try of an operation costs, in exact arithmetic. A try that was refused costs 0, one whose model has no price
 * has no cost. Estimated is what the upstream did not tell to its end, and a service tier that nobody has priced.
 */
export function attemptBills(exchange: Exchange, operation: Operation, outcome: Outcome): readonly AttemptBill[] {
  const demand = exchange.api.adapter.tokenDemand?.(exchange, operation);
  const expectedPrompt = demand === undefined ? 0 : Math.ceil(demand.textBytes / 4) + demand.mediaTokens;
  const tries = triesOf(exchange, operation, outcome, expectedPrompt);
  // What asks no model for anything is not billed, such as a count of tokens.
  const isBilled = demand !== undefined || operation.isLater === true;
  return tries.map((each) => billOf(!isBilled ? { ...each, usage: "nothing" } : each));
}

function billOf({ attempt, usage, price, hasPrices }: TryUse): AttemptBill {
  const told = usage === "nothing" ? undefined : usage;
  const bill = { attempt, usage: told, nanos: null, currency: null, source: null, priceAsOf: null };
  if (!hasPrices) return bill;
  const currency = price === undefined ? null : (price.currency ?? usualCurrency);
  if (usage === "nothing") return { ...bill, nanos: 0, currency, source: "actual" };
  if (told === undefined || price === undefined) return { ...bill, source: "unknown" };
  const isEstimated = told.source === "estimated" || tierPercent(price, told) === undefined;
  return {
    ...bill,
    nanos: costOf(price, told),
    currency,
    source: isEstimated ? "estimated" : "actual",
    priceAsOf: price.asOf ?? null,
  };
}

const usualCurrency = "USD";

/**
 * What the tokens of a try would have cost at another target, as rows tell money; undefined where that is not known, or in
 * another currency.
 */
export function costElsewhere(
  target: CompiledTarget,
  operation: Operation,
  { usage, currency }: AttemptBill,
): string | undefined {
  const price = target.priceOf?.(target.model ?? operation.name);
  if (price === undefined || usage === undefined || (price.currency ?? usualCurrency) !== currency) return undefined;
  return formatNanos(costOf(price, usage));
}

/**
 * The cost of all tries together. Not known as soon as one is not, or where they are in several currencies, for nothing
 * is converted; null where none has a cost.
 */
export function sumOfBills(bills: readonly AttemptBill[]): CostColumns {
  if (bills.length === 1 && bills[0] !== undefined) return costOfOne(bills[0]); // as nearly always
  const charged = bills.filter(({ source }) => source !== null);
  if (charged.length === 0) return noCost;
  const currencies = new Set(charged.filter(({ nanos }) => nanos !== 0).map(({ currency }) => currency));
  if (charged.some(({ source }) => source === "unknown") || currencies.size > 1)
    return { ...noCost, cost_source: "unknown" };
  const nanos = charged.reduce((sum, each) => sum + (each.nanos ?? 0), 0);
  const [currency] = currencies;
  return {
    cost: formatNanos(Math.min(nanos, Number.MAX_SAFE_INTEGER)),
    cost_currency: currency ?? charged[0]?.currency ?? null,
    cost_source: charged.some(({ source }) => source === "estimated") ? "estimated" : "actual",
  };
}

function costOfOne({ nanos, currency, source }: AttemptBill): CostColumns {
  if (source === null) return noCost;
  if (source === "unknown") return { ...noCost, cost_source: "unknown" };
  return {
    cost: formatNanos(Math.min(nanos ?? 0, Number.MAX_SAFE_INTEGER)),
    cost_currency: currency,
    cost_source: source,
  };
}

/** The cost of an operation with what it cost to decide where it goes, where a price of that is known. */
export function withRouteCost(cost: CostColumns, route: DecisionSpent | undefined): CostColumns {
  const { classifierCost: spent, classifierTokens: tokens } = route ?? {};
  if (spent === undefined || cost.cost_source === "unknown") return cost;
  if (cost.cost !== null && toNanos(cost.cost) > 0 && cost.cost_currency !== spent.currency)
    return { ...noCost, cost_source: "unknown" };
  const nanos = spent.nanos + (cost.cost === null ? 0 : toNanos(cost.cost));
  const isEstimated = tokens?.isEstimated === true || cost.cost_source === "estimated";
  return {
    cost: formatNanos(Math.min(nanos, Number.MAX_SAFE_INTEGER)),
    cost_currency: spent.currency,
    cost_source: isEstimated ? "estimated" : "actual",
  };
}

/** The columns of one try's own cost. */
export function costColumns({ nanos, currency, source }: AttemptBill): CostColumns {
  return { cost: nanos === null ? null : formatNanos(nanos), cost_currency: currency, cost_source: source };
}

/** Of what has no cost, such as a refusal before any try. */
export const noCost: CostColumns = { cost: null, cost_currency: null, cost_source: null };
