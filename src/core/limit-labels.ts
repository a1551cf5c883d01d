import { z } from "zod";

/** Labels of one exchange at most, and characters of a value. */
export const mostLabels = 10;
export const longestLabelValue = 100;

/** A label's name. */
export const labelNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,62}$/, "begin with a lower-case letter; then lower-case letters, digits, _ and -")
  .meta({ title: "Label", description: "Lower-case letters, digits, _ and -; at most 63." });

/** The labels of an API key. */
export const keyLabelsSchema = z
  .record(labelNameSchema, z.string().min(1).max(longestLabelValue))
  .refine((labels) => Object.keys(labels).length <= mostLabels, { error: `at most ${mostLabels} labels` })
  .meta({
    title: "Labels",
    description: "Stand on every row of the key's use, and budgets may be counted by them. At most 10.",
  });

const sources = (what: string) =>
  z
    .record(labelNameSchema, z.string().min(1).max(256))
    .refine((labels) => Object.keys(labels).length <= mostLabels, { error: `at most ${mostLabels} labels` })
    .default({})
    .meta({ title: `From ${what}`, description: `Names of labels, and of the ${what} that their values are in.` });

/** Where the labels of exchanges come from, beside the key's own, which come first and which no caller can change. */
export const labelSourcesSchema = z
  .strictObject({ fromClaims: sources("claims"), fromHeaders: sources("headers") })
  .prefault({})
  .meta({
    title: "Labels",
    description:
      "What of tokens and headers becomes a label of the exchange. Headers say what callers like: allow those that you trust.",
  });

export type LabelSources = z.output<typeof labelSourcesSchema>;
