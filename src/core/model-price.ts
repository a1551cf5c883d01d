import { z } from "zod";
import { currencySchema, moneySchema } from "./money.ts";

const perMillion = (title: string, description: string) => moneySchema.meta({ title, description });

const rates = {
  input: perMillion("Input", 'Money for a million tokens of prompt, such as "2.50".'),
  output: perMillion("Output", "For a million tokens of answer."),
  cachedInput: perMillion(
    "Cached input",
    "For a million tokens of prompt that the provider had kept; as input when absent.",
  ).optional(),
  reasoning: perMillion("Reasoning", "For a million tokens of reasoning; as output when absent.").optional(),
  cacheWrite: perMillion(
    "Cache write",
    "For a million tokens of prompt that the provider is to keep; as input when absent.",
  ).optional(),
  cacheWriteHour: perMillion(
    "Cache write for an hour",
    "For a million tokens of prompt to be kept for an hour; as cacheWrite when absent.",
  ).optional(),
  audioInput: perMillion("Audio input", "For a million tokens of heard audio; as input when absent.").optional(),
  audioOutput: perMillion("Audio output", "For a million tokens of spoken audio; as output when absent.").optional(),
};

/** What other ways of serving cost, in percent of the usual price, by the names that answers have for them. */
export const serviceTiersSchema = z
  .record(z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/, "a small word such as flex"), z.int().min(0).max(10_000))
  .refine((tiers) => Object.keys(tiers).length <= 20, { error: "at most 20 tiers" })
  .meta({
    title: "Service tiers",
    description:
      "Percent of the price by the tier that the answer names: `flex: 50`. A tier that is not listed costs the full price, and the cost counts as estimated.",
  });

/** What a model costs, in money per million tokens. */
export const modelPriceSchema = z
  .strictObject({
    ...rates,
    tiers: serviceTiersSchema.optional(),
    currency: currencySchema.optional(),
    long: z
      .strictObject({
        above: z.int().min(1).max(100_000_000).meta({
          title: "Above",
          description: "Prompts of more tokens than this are charged by these prices, the whole of them.",
        }),
        ...rates,
      })
      .optional()
      .meta({ title: "Long prompts", description: "Other prices for long prompts; the same ones when absent." }),
  })
  .meta({ title: "Price", description: "In the currency that budgets are written in; nothing is converted." });

export type ModelPriceSpec = z.output<typeof modelPriceSchema>;

/** Prices of an account, by globs of models as the provider calls them; the first that fits holds. */
export const providerPricesSchema = z
  .record(z.string().min(1).max(256), modelPriceSchema)
  .refine((prices) => Object.keys(prices).length <= 1_000, { error: "at most 1000 models" })
  .optional()
  .meta({
    title: "Prices",
    description: "By globs of model names; the first that fits holds, before the built-in price table.",
  });
