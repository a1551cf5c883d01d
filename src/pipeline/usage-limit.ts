import type { LimitWindow } from "../core/limit-window.ts";
import type { ErrorCode } from "../kernel/error-codes.ts";
import type { TryUse } from "./actual-usage.ts";
import { possiblePrices, triesOf } from "./actual-usage.ts";
import type { ChargeHandlers } from "./define-policy.ts";
import type { Exchange, Operation } from "./exchange.ts";
import { tellLimit } from "./limit-headers.ts";
import type { WindowSpan } from "./limit-windows.ts";
import { createWindows, rollingMs } from "./limit-windows.ts";
import type { Charge, LimitDecision } from "./limiter.ts";
import type { Deny } from "./outcome.ts";
import { deny } from "./outcome.ts";
import type { PluginTools } from "./plugin.ts";
import type { ModelPrice, TokenRates } from "./price-table.ts";
import { costOf, dearest } from "./price-table.ts";
import { shadowOf } from "./shadow-route.ts";

/** What of an operation is counted. Money is counted in billionths of its currency's unit. */
export type UsageMeasure = "requests" | "promptTokens" | "completionTokens" | "totalTokens" | "cost";

/** One limit on what is used in each window of time. */
export interface UsageLimit {
  /** Begins the names of its counters; the same over restarts and republishing. */
  readonly place: string;
  readonly measure: UsageMeasure;
  /** Units of the measure in each window; exactly so many are admitted, none at 0. */
  readonly limit: number;
  readonly window: LimitWindow;
  readonly timeZone: string;
  /** The calendar of that window and zone, where several limits share one. */
  readonly spanAt?: (nowMs: number) => WindowSpan;
  /** Whether windows begin with the calendar, or roll, so that what was used comes back evenly. */
  readonly align: "calendar" | "rolling";
  /** The limit in words, for those whom it refuses: `25.00 USD a month`. */
  readonly words: string;
  /** Whom it counts by, for the log. */
  readonly per: string;
  subject(exchange: Exchange, operation: Operation): string;
  /** Units of a request under `requests`; 1 when absent. */
  weight?(operation: Operation): number;
  /** Tokens reserved for an answer whose length nothing bounds, until there is something to learn from. */
  readonly reserveOutput: number;
  /** Whether an answer longer than what was reserved is charged in full, or a stream of it cut. */
  readonly longAnswer: "charge" | "cut";
  /** `bound` reserves a token for each byte of a prompt, which no text passes. */
  readonly reservePrompt: "estimate" | "bound";
  /** What happens under `cost` to a model without a price. */
  readonly unpriced: "refuse" | "free";
}

/**
 * The handlers of a limit. What an operation may use is reserved before it begins: the prompt by estimate, the answer by
 * what bounds it, else by what answers were like lately. When it is over, what it has really used takes the place of
 * that. An answer that nothing bounds never reserves more than the whole limit, so that the first call is not refused
 * for what it could have used.
 */
export function createUsageLimit(
  limit: UsageLimit,
  { clock, estimates }: Pick<PluginTools, "clock" | "estimates">,
): ChargeHandlers {
  const spanAt = limit.spanAt ?? createWindows(limit.window, limit.timeZone);
  const windowName = typeof limit.window === "object" ? `${limit.window.milliseconds}ms` : limit.window;
  const name = `${limit.place}/${limit.measure}/${limit.align === "rolling" ? "rolling-" : ""}${windowName}`;
  const reserved = new WeakMap<Operation, Expected | "unpriced">();
  const rule = (): Charge["rule"] =>
    limit.align === "rolling"
      ? { type: "rate", limit: limit.limit, windowMs: rollingMs(limit.window) }
      : { type: "quota", limit: limit.limit, ...spanAt(clock.now()) };
  return {
    countsUse: limit.measure !== "requests",
    counters: (per, id) =>
      per === limit.per
        ? [{ measure: limit.measure, title: limit.words, counter: { key: `${name}/${id}`, rule: rule() } }]
        : [],
    charges(exchange, operation) {
      const key = `${name}/${limit.subject(exchange, operation)}`;
      if (limit.measure === "requests") {
        const amount = limit.weight?.(operation) ?? 1;
        return amount === 0 ? undefined : [{ key, rule: rule(), amount }];
      }
      const expected = expect(limit, estimates, exchange, operation);
      if (expected === undefined) return undefined;
      reserved.set(operation, expected);
      if (expected === "unpriced") return [{ key: `${name}/unpriced`, rule: closed, amount: 1 }];
      return [{ key, rule: rule(), amount: expected.amount }];
    },
    refused(exchange, operation, charge, decision) {
      if (reserved.get(operation) === "unpriced") return unpriced(operation);
      tell(limit, exchange, decision);
      return refusal(limit, charge, decision);
    },
    charged(exchange, operation, _charges, [decision]) {
      if (decision !== undefined) tell(limit, exchange, decision);
      const expected = reserved.get(operation);
      if (limit.longAnswer !== "cut" || expected === undefined || expected === "unpriced") return;
      operation.cutAfterTokens = Math.min(operation.cutAfterTokens ?? Infinity, expected.outputTokens);
    },
    settle(exchange, operation, outcome) {
      const expected = reserved.get(operation);
      if (expected === undefined || expected === "unpriced") return undefined; // requests stay as they were counted
      const demand = exchange.api.adapter.tokenDemand?.(exchange, operation);
      const { usage } = operation;
      const tries = triesOf(exchange, operation, outcome, expected.promptTokens);
      if (tries.some((each) => each.usage === undefined)) return undefined;
      if (demand !== undefined && usage?.source === "actual" && tries.length > 0)
        estimates.note(exchange.api.id, operation.name, demand, usage);
      const routers = [exchange.route, shadowOf(exchange)?.spent];
      const deciding = routers.reduce((sum, router) => sum + (router?.classifierCost?.nanos ?? 0), 0);
      return [
        tries.reduce((sum, each) => sum + amountOf(limit.measure, each), limit.measure === "cost" ? deciding : 0),
      ];
    },
  };
}

/** Units that one try takes; every try that was billed counts. */
function amountOf(measure: UsageMeasure, { usage, price }: TryUse): number {
  if (usage === undefined || usage === "nothing") return 0;
  if (measure === "cost") return price === undefined ? 0 : costOf(price, usage);
  return tokensOf(measure, usage.inputTokens, usage.outputTokens);
}

interface Expected {
  readonly amount: number;
  readonly promptTokens: number;
  /** Tokens of answer that the amount has room for. */
  readonly outputTokens: number;
}

/** Nothing is reserved of what has been used already. */
const usedBefore: Expected = { amount: 0, promptTokens: 0, outputTokens: 0 };

/** A counter that lets nothing through: how a model without a price is refused. */
const closed: Charge["rule"] = { type: "rate", limit: 0, windowMs: 1_000 };

function expect(
  limit: UsageLimit,
  estimates: PluginTools["estimates"],
  exchange: Exchange,
  operation: Operation,
): Expected | "unpriced" | undefined {
  const { api } = exchange;
  if (operation.isLater === true) return usedBefore;
  const demand = api.adapter.tokenDemand?.(exchange, operation);
  if (demand === undefined) return undefined;
  const rates = limit.measure === "cost" ? ratesOf(limit, possiblePrices(exchange, operation)) : undefined;
  if (rates === "unpriced") return rates;
  const isBounded = demand.outputCap !== undefined;
  const promptTokens =
    limit.reservePrompt === "bound"
      ? demand.textBytes + demand.mediaTokens
      : estimates.promptTokens(api.id, operation.name, demand);
  const outputTokens = demand.outputCap ?? estimates.answerTokens(api.id, operation.name) ?? limit.reserveOutput;
  const keptTokens = estimates.keptTokens(api.id, operation.name, demand);
  const amountOf = (prompt: number, output: number): number =>
    rates === undefined ? tokensOf(limit.measure, prompt, output) : priced(rates, prompt, output);
  const amount = amountOf(promptTokens + keptTokens, outputTokens);
  const leastAmount = amountOf(promptTokens, isBounded ? outputTokens : 0);
  const expected = { amount, promptTokens: promptTokens + keptTokens, outputTokens };
  if (amount <= limit.limit || leastAmount > limit.limit) return expected;
  // Nothing says that it will be so long: what is not certain gets what the whole limit has room for.
  if (isBounded) return { ...expected, amount: limit.limit };
  const room = limit.limit - leastAmount;
  const fitting = rates === undefined ? room : Math.floor((room * 1_000_000) / Math.max(rates.output, 1));
  return { ...expected, amount: limit.limit, outputTokens: fitting };
}

function ratesOf(limit: UsageLimit, prices: readonly (ModelPrice | undefined)[]): TokenRates | "unpriced" | undefined {
  const known = prices.filter((price) => price !== undefined);
  if (limit.unpriced === "refuse" && known.length < prices.length) return "unpriced";
  return dearest(known);
}

function priced(rates: TokenRates, inputTokens: number, outputTokens: number): number {
  return costOf(rates, { inputTokens, outputTokens });
}

function tokensOf(measure: UsageMeasure, prompt: number, completion: number): number {
  if (measure === "promptTokens") return prompt;
  return measure === "completionTokens" ? completion : prompt + completion;
}

function tell({ measure, limit }: UsageLimit, exchange: Exchange, decision: LimitDecision): void {
  const left = Math.max(0, Math.min(1, decision.remaining / Math.max(limit, 1)));
  exchange.limitLeft = Math.min(exchange.limitLeft ?? 1, left);
  if (measure === "cost") return;
  tellLimit(exchange.responseHeaders, measure === "requests" ? "requests" : "tokens", limit, decision);
}

/** Beyond this a caller that waits and tries again does not help itself: the SDKs give up at a minute. */
const longestWaitMs = 60_000;

function refusal(limit: UsageLimit, { key, amount }: Charge, { retryAfterMs }: LimitDecision): Deny {
  const neverFits = amount > limit.limit;
  const code: ErrorCode = neverFits || retryAfterMs > longestWaitMs ? "limit.budget" : "limit.exceeded";
  const message =
    neverFits && limit.limit > 0
      ? `The request asks for more than the whole limit of ${limit.words}: shorten the prompt, or the most tokens that the answer may have.`
      : `The limit of ${limit.words} is used up.`;
  const detail = `${limit.place} per ${limit.per}: ${amount} of ${limit.limit} for ${key}`;
  return deny(code, message, { detail, ...(neverFits ? {} : { retryAfterMs }) });
}

function unpriced({ name }: Operation): Deny {
  return deny("limit.unpriced", `The model "${name}" has no price here, and this caller has a money budget.`, {
    param: "model",
    detail: "set spec.prices of its LlmProvider, or `unpriced: free` of the budget",
  });
}
