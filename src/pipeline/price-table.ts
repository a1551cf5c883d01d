import { z } from "zod";
import type { ModelPriceSpec } from "../core/model-price.ts";
import { modelPriceSchema } from "../core/model-price.ts";
import { toNanos } from "../core/money.ts";
import { globMatcher } from "../kernel/glob.ts";

/** Billionths of the currency's unit for a million tokens of each kind. Whole numbers. */
export interface TokenRates {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
  readonly reasoning: number;
}

/** What a model costs. */
export interface ModelPrice extends TokenRates {
  /** Of prompts with more than `above` tokens, all tokens are charged by these. */
  readonly long?: (TokenRates & { readonly above: number }) | undefined;
}

/** Tokens that are to be paid. Cached ones are among the input, those of reasoning among the output. */
export interface PricedTokens {
  readonly inputTokens: number;
  readonly cachedInputTokens?: number;
  readonly outputTokens: number;
  readonly reasoningTokens?: number;
}

/** The price of a model by the name that its provider knows; undefined where none is known. */
export type PriceOf = (model: string) => ModelPrice | undefined;

const tableSchema = z.looseObject({
  asOf: z.iso.date(),
  providers: z.record(
    z.string(),
    z.looseObject({ source: z.url().optional(), models: z.record(z.string(), modelPriceSchema) }),
  ),
});

/** Built-in prices, by the id of a provider's plug-in. */
export interface PriceTable {
  /** The day on which the prices were looked up. */
  readonly asOf: string;
  provider(id: string): PriceOf;
}

/** The table of `assets/prices.json`. Throws a `ZodError` for what is no such table. */
export function createPriceTable(data: unknown): PriceTable {
  const { asOf, providers } = tableSchema.parse(data);
  const known = new Map(
    Object.entries(providers).map(([id, { models }]) => [
      id,
      new Map(Object.entries(models).map(([model, spec]) => [model, toPrice(spec)])),
    ]),
  );
  const ofGatehouse = known.get("gatehouse"); // the demonstration model, whatever provider stands in front of it
  return {
    asOf,
    provider: (id) => (model) => {
      const own = known.get(id);
      // A dated version costs what its model costs, unless it stands in the table itself.
      return own?.get(model) ?? own?.get(model.replace(dateSuffix, "")) ?? ofGatehouse?.get(model);
    },
  };
}

/** No prices at all. */
export const noPrices: PriceTable = { asOf: "1970-01-01", provider: () => () => undefined };

const dateSuffix = /-(\d{4}-\d{2}-\d{2}|\d{8})$/;

/**
 * Prices of one account: what the operator has written, by globs in their order, then the built-in ones. Answers are
 * kept, for callers name the same few models.
 */
export function accountPrices(
  written: Readonly<Record<string, ModelPriceSpec>> | undefined,
  builtIn: PriceOf,
): PriceOf {
  const own = Object.entries(written ?? {}).map(([glob, spec]) => ({
    fits: globMatcher([glob]),
    price: toPrice(spec),
  }));
  const asked = new Map<string, ModelPrice | undefined>();
  return (model) => {
    if (asked.has(model)) return asked.get(model);
    const price = own.find(({ fits }) => fits(model))?.price ?? builtIn(model);
    if (asked.size >= mostAsked) asked.clear();
    if (model.length <= longestAsked) asked.set(model, price);
    return price;
  };
}

const mostAsked = 1_000;
const longestAsked = 256;

/** What the tokens cost in billionths of the currency's unit: exact, and a part of one counts as a whole. */
export function costOf(price: ModelPrice, tokens: PricedTokens): number {
  const { inputTokens, outputTokens } = tokens;
  const cached = Math.min(tokens.cachedInputTokens ?? 0, inputTokens);
  const reasoning = Math.min(tokens.reasoningTokens ?? 0, outputTokens);
  const rates = price.long !== undefined && inputTokens > price.long.above ? price.long : price;
  const total =
    BigInt(inputTokens - cached) * BigInt(rates.input) +
    BigInt(cached) * BigInt(rates.cachedInput) +
    BigInt(outputTokens - reasoning) * BigInt(rates.output) +
    BigInt(reasoning) * BigInt(rates.reasoning);
  const nanos = (total + 999_999n) / 1_000_000n;
  return nanos > largest ? Number.MAX_SAFE_INTEGER : Number(nanos);
}

const largest = BigInt(Number.MAX_SAFE_INTEGER);

/** The dearest that each kind of token can be under any of the prices: what a reservation reckons with. */
export function dearest(prices: readonly ModelPrice[]): TokenRates {
  const rates = prices.flatMap((price) => (price.long === undefined ? [price] : [price, price.long]));
  const most = (kind: keyof TokenRates): number => Math.max(0, ...rates.map((rate) => rate[kind]));
  const output = Math.max(most("output"), most("reasoning"));
  const input = Math.max(most("input"), most("cachedInput"));
  return { input, cachedInput: input, output, reasoning: output };
}

function toPrice({ long, ...rates }: ModelPriceSpec): ModelPrice {
  return { ...toRates(rates), long: long === undefined ? undefined : { ...toRates(long), above: long.above } };
}

function toRates({ input, output, cachedInput, reasoning }: Omit<ModelPriceSpec, "long">): TokenRates {
  return {
    input: toNanos(input),
    output: toNanos(output),
    cachedInput: toNanos(cachedInput ?? input),
    reasoning: toNanos(reasoning ?? output),
  };
}
