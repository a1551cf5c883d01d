import { z } from "zod";
import { limitWindowSchema, timeZoneSchema } from "./limit-window.ts";
import { currencySchema, moneySchema } from "./money.ts";

const window = { window: limitWindowSchema, timeZone: timeZoneSchema };

const countedMeasures = ["requests", "promptTokens", "completionTokens", "totalTokens"] as const;

/** One budget of an API key. Nought is allowed and lets nothing through. */
export const keyBudgetSchema = z.discriminatedUnion("measure", [
  z.strictObject({
    measure: z.enum(countedMeasures).meta({ title: "Measure", description: "What is counted." }),
    amount: z
      .int()
      .min(0)
      .max(1_000_000_000_000)
      .meta({ title: "Amount", description: "So many in each window; 0 lets nothing through." }),
    ...window,
  }),
  z.strictObject({
    measure: z.literal("cost").meta({ title: "Measure", description: "What is counted: money." }),
    amount: moneySchema.meta({
      title: "Amount",
      description: 'So much money in each window, as a decimal text such as "25.00"; "0" lets nothing through.',
    }),
    currency: currencySchema,
    ...window,
  }),
]);

export type KeyBudget = z.output<typeof keyBudgetSchema>;

/** The budgets of one key; overlapping windows each hold by themselves. */
export const keyBudgetsSchema = z.array(keyBudgetSchema).max(5).meta({
  title: "Budgets",
  description: "What the key may use up by itself, beside all other limits; none when empty.",
});
