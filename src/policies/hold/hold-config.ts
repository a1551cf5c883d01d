import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../../core/api-spec.ts";

const hint = (title: string, description: string) => z.boolean().optional().meta({ title, description });

/** Which calls wait, for how long, and what approvers see. */
export const holdConfig = z.strictObject({
  tools: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(200)
    .default(["*"])
    .meta({ title: "Tools", description: "Globs of the tools whose calls wait." }),
  hints: z
    .strictObject({
      readOnlyHint: hint("Read-only", "Whether the server says that the tool changes nothing."),
      destructiveHint: hint("Destructive", "Whether the server says that the tool may destroy something."),
      idempotentHint: hint("Idempotent", "Whether the server says that calling it again changes nothing more."),
      openWorldHint: hint("Open world", "Whether the server says that the tool reaches beyond its own system."),
    })
    .default({})
    .meta({
      title: "Hints",
      description:
        "Only tools whose annotations say all of this. What a server does not say counts as the protocol's default: it may destroy.",
    }),
  when: z.string().min(1).max(4_096).optional().meta({
    title: "When",
    description:
      "Only calls for which this CEL expression over `arguments`, `operation`, `principal`, `request` and `api` holds, or cannot be judged.",
  }),
  waitMs: z.int().min(0).max(300_000).default(25_000).meta({
    title: "Wait, ms",
    description: "How long a request stays open for the decision, before the client is asked to come back.",
  }),
  expiresAfterMs: z.int().min(10_000).max(604_800_000).default(900_000).meta({
    title: "Open, ms",
    description: "How long somebody may decide; then the call is refused.",
  }),
  grantMs: z.int().min(1_000).max(86_400_000).default(300_000).meta({
    title: "Grant, ms",
    description: "How long after the approval the call may be made, once.",
  }),
  show: z.enum(["nothing", "names", "values"]).default("names").meta({
    title: "Show",
    description:
      "What approvers see of the arguments: nothing, their names with the kind of each value, or the values.",
  }),
  mask: z
    .array(z.string().min(1).max(200))
    .max(200)
    .default([])
    .meta({ title: "Mask", description: "Names of arguments, at any depth, whose values are not shown." }),
  webhook: z
    .strictObject({
      url: httpUrlSchema.meta({ title: "URL", description: "Is told of each call that waits, and may answer." }),
      secret: secretReferenceSchema.meta({
        title: "Secret",
        description: "Signs what is sent, as Standard Webhooks have it; `whsec_` and base64, or any text.",
      }),
    })
    .optional()
    .meta({ title: "Webhook", description: "Who is told." }),
});

export type HoldConfig = z.output<typeof holdConfig>;
