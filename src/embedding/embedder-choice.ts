import { z } from "zod";

/** Which embedder, and how it is configured: `{ use, with }`, as policies are attached. */
export type EmbedderChoice = z.output<typeof embedderChoiceSchema>;

/**
 * For the configuration of a plug-in that works with meaning: `embedder: embedderChoiceSchema.optional()`, and at compile
 * `tools.embed(config.embedder)`. The embedder's own schema judges `with` there, at publish.
 */
export const embedderChoiceSchema = z
  .strictObject({
    use: z
      .string()
      .max(64)
      .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "an embedder's id, such as built-in")
      .meta({ title: "Embedder", description: "Its id; `gatehouse plugins` lists them." }),
    with: z
      .record(z.string().max(64), z.unknown())
      .default({})
      .meta({ title: "Configuration", description: "The embedder's own." }),
  })
  .meta({ title: "Embedder", description: "The deployment's own where absent." });
