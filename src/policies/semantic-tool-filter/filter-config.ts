import { z } from "zod";
import { embedderChoiceSchema } from "../../embedding/embedder-choice.ts";

const name = z.string().min(1).max(256);

/** How tools are chosen, and by what. */
export const filterConfig = z.strictObject({
  selection: z.enum(["rank", "threshold", "rank+threshold"]).default("rank").meta({
    title: "Selection",
    description:
      "`rank` keeps the best so many, `threshold` all that fit well enough, `rank+threshold` those of the best that do.",
  }),
  limit: z.int().min(1).max(1_000).default(10).meta({
    title: "Limit",
    description: "Tools that `rank` keeps. What may never be removed comes on top.",
  }),
  threshold: z.number().min(0).max(1).optional().meta({
    title: "Threshold",
    description: "Least score, that score included; the embedder's own for tools when absent.",
  }),
  minKeep: z.int().min(0).max(1_000).default(1).meta({
    title: "Keep at least",
    description: "The best so many stay however little they fit; with 0 the list may be taken out of the request.",
  }),
  alwaysKeep: z.array(name).max(200).default([]).meta({
    title: "Always keep",
    description: "Names of tools that are never removed; `*` and `?` are wildcards.",
  }),
  query: z
    .union([
      z.enum(["last-turn"]),
      z.strictObject({
        lastTurns: z.int().min(1).max(50).meta({ title: "Last turns", description: "Of the user, so many." }),
      }),
      z.strictObject({
        jsonPath: z.string().min(1).max(1_000).meta({
          title: "JSONPath",
          description: "RFC 9535, over the request to the model; texts that it finds are joined.",
        }),
      }),
    ])
    .default("last-turn")
    .meta({
      title: "Query",
      description: "What tools are chosen by: the user's last turn that has text, several, or what a path finds.",
    }),
  format: z
    .strictObject({
      query: z.enum(["json", "tags"]).default("json").meta({
        title: "Query",
        description: "`tags`: the query stands between `<userq>` and `</userq>` in a text of the request.",
      }),
      tools: z.enum(["json", "tags"]).default("json").meta({
        title: "Tools",
        description: "`tags`: each stands in a text as `<toolname>…</toolname><tooldescription>…</tooldescription>`.",
      }),
    })
    .prefault({})
    .meta({ title: "Format", description: "Where the query and the tools stand in a request to a model." }),
  withoutText: z.enum(["keep", "drop"]).default("keep").meta({
    title: "Without text",
    description: "What happens to tools that have no name and no description to be found by.",
  }),
  deadlineMs: z.int().min(1).max(10_000).default(300).meta({
    title: "Deadline",
    description: "Milliseconds that the embedder may take; later is a failure. The built-in one takes none.",
  }),
  learn: z.boolean().default(false).meta({
    title: "Learn",
    description:
      "Calls of tools that came back with a result lift the tool for requests of the like, of the same application first. Kept in memory, without texts and personal data.",
  }),
  embedder: embedderChoiceSchema.optional(),
});

export type FilterConfig = z.output<typeof filterConfig>;
