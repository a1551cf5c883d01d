import { z } from "zod";
import { limitWindowSchema, timeZoneSchema } from "../core/limit-window.ts";
import { currencySchema, moneySchema, toNanos } from "../core/money.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import { alignSchema, reservationFields, windowWords } from "../pipeline/limit-config.ts";
import { limitSubjectSchema, limitSubjects, subjectName } from "../pipeline/limit-subject.ts";
import { createUsageLimit } from "../pipeline/usage-limit.ts";

const config = z.strictObject({
  amount: moneySchema.default("10.00").meta({
    title: "Amount",
    description: 'So much money in each window and per subject, such as "25.00"; "0" lets nothing through.',
  }),
  currency: currencySchema,
  window: limitWindowSchema.default("month"),
  timeZone: timeZoneSchema,
  align: alignSchema,
  per: limitSubjectSchema,
  unpriced: z
    .enum(["refuse", "free"])
    .default("refuse")
    .meta({ title: "Unpriced", description: "Whether a model without a price is refused, or costs nothing." }),
  ...reservationFields,
});

/**
 * So much money in each window, by the prices of models. It is reserved at the price of the dearest target that may
 * serve the call, and settled to what the one that did costs. Counted exactly, in billionths of the currency's unit.
 */
export const costBudget = definePolicy({
  id: "cost-budget",
  title: "Cost budget",
  summary: "Lets calls through until so much money is spent in a day or month.",
  config,
  examples: [
    { amount: "25.00", window: "month", per: "application" },
    { amount: "500", window: "month", timeZone: "Europe/Vienna", per: { label: "department" }, unpriced: "free" },
    {},
  ],
  onError: "deny",
  isLimit: true,
  compile({ amount, currency, window, per, ...more }, tools, { place }) {
    return createUsageLimit(
      {
        ...more,
        place: `${place}/${currency}`,
        measure: "cost",
        limit: toNanos(amount),
        window,
        words: `${amount} ${currency} ${windowWords(window)}`,
        per: subjectName(per),
        subject: limitSubjects(per),
      },
      tools,
    );
  },
});
