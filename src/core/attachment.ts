import { z } from "zod";
import { blockSchema, spanSelectionSchema } from "./guardrail-options.ts";
import { pluginConfigSchema } from "./plugin-config.ts";

/** One entry of `spec.policies`: a policy or guardrail, its configuration, and when it applies. */
export const attachmentSchema = z.strictObject({
  use: z.string().min(1).max(64).meta({ title: "Policy", description: "The id of a policy or guardrail." }),
  with: pluginConfigSchema.default({}).meta({
    title: "Configuration",
    description: "Checked by the policy's own schema at publish.",
    plugin: ["policy", "guardrail"],
  }),
  on: z
    .array(z.string().min(1).max(256))
    .min(1)
    .max(100)
    .optional()
    .meta({ title: "Operations", description: "Globs of models, tools or operation kinds; all when absent." }),
  when: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .meta({ title: "Condition", description: "A CEL expression over `request`, `operation`, `principal` and `api`." }),
  mode: z
    .enum(["enforce", "monitor"])
    .default("enforce")
    .meta({ title: "Mode", description: "`monitor` records what it would have done and lets pass." }),
  onError: z.enum(["deny", "continue"]).optional().meta({
    title: "On error",
    description: "What happens when the policy itself breaks; its own default when absent.",
  }),
  spans: spanSelectionSchema.optional(),
  block: blockSchema.optional(),
});

export const attachmentsSchema = z.array(attachmentSchema).max(100).default([]).meta({
  title: "Policies",
  description: "Run in this order within each step; gateway, API, team, application, plan, then the key's own.",
});

/** Where only limits may stand: on whom callers belong to. */
export const limitAttachmentsSchema = z.array(attachmentSchema).max(20).optional().meta({
  title: "Limits",
  description:
    "Policies that limit how much is used, and no others. They hold at every API, in the order gateway, API, team, application, plan, key.",
});

export type AttachmentSpec = z.output<typeof attachmentSchema>;
