import { z } from "zod";
import { moneySchema } from "./money.ts";

const perMillion = (title: string, description: string) => moneySchema.meta({ title, description });

const rates = {
  input: perMillion("Input", 'Money for a million tokens of prompt, such as "2.50".'),
  output: perMillion("Output", "For a million tokens of answer."),
  cachedInput: perMillion(
    "Cached input",
    "For a million tokens of prompt that the provider had kept; as input when absent.",
  ).optional(),
  reasoning: perMillion("Reasoning", "For a million tokens of reasoning; as output when absent.").optional(),
};

/** What a model costs, in money per million tokens. */
export const modelPriceSchema = z
  .strictObject({
    ...rates,
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
