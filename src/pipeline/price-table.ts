import { z } from "zod";
import type { ModelPriceSpec } from "../core/model-price.ts";
import { modelPriceSchema, serviceTiersSchema } from "../core/model-price.ts";
import { toNanos } from "../core/money.ts";
import { globMatcher } from "../kernel/glob.ts";

/** Billionths of the currency's unit for a million tokens of each kind. Whole numbers. */
export interface TokenRates {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
  readonly reasoning: number;
  /** As input when absent. */
  readonly cacheWrite?: number;
  /** As cache writes when absent. */
  readonly cacheWriteHour?: number;
  readonly audioInput?: number;
  /** As output when absent. */
  readonly audioOutput?: number;
}

/** What a model costs. */
export interface ModelPrice extends TokenRates {
  /** Percent of the rates by the service tier that an answer names. Those that are not here cost the whole. */
  readonly tiers?: Readonly<Record<string, number>> | undefined;
  /** USD when absent. */
  readonly currency?: string | undefined;
  /** The day on which a built-in price was looked up; absent of the operator's own. */
  readonly asOf?: string | undefined;
  /** Of prompts with more than `above` tokens, all tokens are charged by these. */
  readonly long?: (TokenRates & { readonly above: number }) | undefined;
}

/** Tokens that are to be paid, as `Usage` counts them: cached ones are among the input, reasoning is among the output. */
export interface PricedTokens {
  readonly inputTokens: number;
  readonly cachedInputTokens?: number;
  readonly outputTokens: number;
  readonly reasoningTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly cacheWriteHourTokens?: number;
  readonly audioInputTokens?: number;
  readonly audioOutputTokens?: number;
  readonly serviceTier?: string;
}

/** The price of a model by the name that its provider knows; undefined where none is known. */
export type PriceOf = (model: string) => ModelPrice | undefined;

const tableSchema = z.looseObject({
  asOf: z.iso.date(),
  providers: z.record(
    z.string(),
    z.looseObject({
      source: z.url().optional(),
      tiers: serviceTiersSchema.optional(),
      models: z.record(z.string(), modelPriceSchema),
    }),
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
    Object.entries(providers).map(([id, { models, tiers }]) => [
      id,
      new Map(Object.entries(models).map(([model, spec]) => [model, { tiers, ...toPrice(spec), asOf }])),
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
  const rates = price.long !== undefined && tokens.inputTokens > price.long.above ? price.long : price;
  let hundredths = 0n;
  for (const [count, rate] of [...inputKinds(rates, tokens), ...outputKinds(rates, tokens)]) {
    hundredths += BigInt(count) * BigInt(rate);
  }
  const nanos = (hundredths * BigInt(tierPercent(price, tokens) ?? 100) + 99_999_999n) / 100_000_000n;
  return nanos > largest ? Number.MAX_SAFE_INTEGER : Number(nanos);
}

/** Percent of the price for how the call was served; undefined for a tier that nobody has priced. */
export function tierPercent({ tiers }: ModelPrice, { serviceTier }: PricedTokens): number | undefined {
  if (serviceTier === undefined || usualTiers.has(serviceTier)) return 100;
  return tiers !== undefined && Object.hasOwn(tiers, serviceTier) ? tiers[serviceTier] : undefined;
}

/** What providers call the usual way, and `auto`, which says nothing. */
const usualTiers: ReadonlySet<string> = new Set(["default", "standard", "standard_only", "auto"]);

type Priced = readonly [count: number, rate: number];

// What is told of a kind can be no more than what the kinds before it have left of the sum.
function inputKinds(rates: TokenRates, tokens: PricedTokens): readonly Priced[] {
  const written = tokens.cacheWriteTokens ?? 0;
  const forAnHour = Math.min(tokens.cacheWriteHourTokens ?? 0, written);
  const write = rates.cacheWrite ?? rates.input;
  return shared(tokens.inputTokens, rates.input, [
    [tokens.cachedInputTokens ?? 0, rates.cachedInput],
    [forAnHour, rates.cacheWriteHour ?? write],
    [written - forAnHour, write],
    [tokens.audioInputTokens ?? 0, rates.audioInput ?? rates.input],
  ]);
}

function outputKinds(rates: TokenRates, tokens: PricedTokens): readonly Priced[] {
  return shared(tokens.outputTokens, rates.output, [
    [tokens.reasoningTokens ?? 0, rates.reasoning],
    [tokens.audioOutputTokens ?? 0, rates.audioOutput ?? rates.output],
  ]);
}

function shared(sum: number, plainRate: number, kinds: readonly Priced[]): readonly Priced[] {
  let left = sum;
  const own = kinds.map(([told, rate]): Priced => {
    const count = Math.min(told, left);
    left -= count;
    return [count, rate];
  });
  return [...own, [left, plainRate]];
}

const largest = BigInt(Number.MAX_SAFE_INTEGER);

/** The dearest that each kind of token can be under any of the prices: what a reservation reckons with. */
export function dearest(prices: readonly ModelPrice[]): TokenRates {
  const rates = prices.flatMap((price) => {
    const percent = Math.max(100, ...Object.values(price.tiers ?? {}));
    return (price.long === undefined ? [price] : [price, price.long]).map((each) => ({ each, percent }));
  });
  const most = (...kinds: readonly (keyof TokenRates)[]): number =>
    Math.max(
      0,
      ...rates.flatMap(({ each, percent }) => kinds.map((kind) => Math.ceil(((each[kind] ?? 0) * percent) / 100))),
    );
  const output = most("output", "reasoning", "audioOutput");
  const input = most("input", "cachedInput", "cacheWrite", "cacheWriteHour", "audioInput");
  return { input, cachedInput: input, output, reasoning: output };
}

function toPrice({ long, tiers, currency, ...rates }: ModelPriceSpec): ModelPrice {
  return {
    ...toRates(rates),
    long: long === undefined ? undefined : { ...toRates(long), above: long.above },
    ...(tiers === undefined ? {} : { tiers }),
    ...(currency === undefined ? {} : { currency }),
  };
}

function toRates(spec: Omit<ModelPriceSpec, "long" | "tiers" | "currency">): TokenRates {
  const { input, output, cachedInput, reasoning, cacheWrite, cacheWriteHour, audioInput, audioOutput } = spec;
  return {
    input: toNanos(input),
    output: toNanos(output),
    cachedInput: toNanos(cachedInput ?? input),
    reasoning: toNanos(reasoning ?? output),
    ...(cacheWrite === undefined ? {} : { cacheWrite: toNanos(cacheWrite) }),
    ...(cacheWriteHour === undefined ? {} : { cacheWriteHour: toNanos(cacheWriteHour) }),
    ...(audioInput === undefined ? {} : { audioInput: toNanos(audioInput) }),
    ...(audioOutput === undefined ? {} : { audioOutput: toNanos(audioOutput) }),
  };
}
