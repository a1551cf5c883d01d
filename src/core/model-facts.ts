import { z } from "zod";

/** Kinds of content beside text. */
export const mediaKinds = ["image", "audio", "file"] as const;

export type MediaKind = (typeof mediaKinds)[number];

/** What a model can take. What is not told closes nothing. */
export const modelFactsSchema = z
  .strictObject({
    context: z.int().min(1).max(100_000_000).optional().meta({
      title: "Context window",
      description: "Tokens of prompt and answer together. Requests that are certainly longer go elsewhere.",
    }),
    output: z.int().min(1).max(100_000_000).optional().meta({
      title: "Longest answer",
      description: "Tokens; requests that ask for more go elsewhere.",
    }),
    input: z
      .array(z.enum(mediaKinds))
      .max(mediaKinds.length)
      .optional()
      .meta({ title: "Takes", description: "Kinds of content beside text; an empty list for text alone." }),
    tools: z.boolean().optional().meta({ title: "Tools", description: "Whether it calls functions." }),
  })
  .meta({ title: "Model" });

export type ModelFacts = z.output<typeof modelFactsSchema>;

/** Facts of the models of an account, by globs of models as the provider calls them; the first that fits holds. */
export const providerFactsSchema = z
  .record(z.string().min(1).max(256), modelFactsSchema)
  .refine((facts) => Object.keys(facts).length <= 1_000, { error: "at most 1000 models" })
  .optional()
  .meta({
    title: "Facts",
    description: "By globs of model names: what they can take; before what is built in.",
  });

/** A word for where something runs, as the operator calls it. */
export const regionSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "letters, digits and . _ -")
  .meta({ title: "Region", description: "Where it runs, in the operator's own words: `eu`, `us-east-1`." });
