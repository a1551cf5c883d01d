import { z } from "zod";

/** What turns texts into vectors, for all that asks for no embedder of its own. */
export const embeddingSettings = z
  .strictObject({
    use: z
      .string()
      .max(64)
      .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "an embedder's id, such as built-in")
      .default("built-in")
      .meta({
        title: "Embedder",
        description:
          "What turns texts into vectors; `gatehouse plugins` lists the embedders. Policies may choose another.",
      }),
    with: z.record(z.string().max(64), z.unknown()).default({}).meta({
      title: "Its configuration",
      description: "The embedder's own; in the variable as JSON. Keys are references: `${secret:openai-key}`.",
    }),
    cacheBytes: z.int().min(1_048_576).max(536_870_912).default(67_108_864).meta({
      title: "Vector cache",
      description: "Bytes of vectors kept in memory; on disk at most twice as much. The built-in embedder needs none.",
    }),
  })
  .prefault({})
  .meta({ title: "Embedding" });
