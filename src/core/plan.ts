import { z } from "zod";
import { attachmentsSchema } from "./attachment.ts";
import { defineResource } from "./resource.ts";

const planSpec = z.strictObject({
  displayName: z.string().max(200).optional().meta({ title: "Display name" }),
  description: z.string().max(10_000).optional().meta({ title: "Description" }),
  policies: attachmentsSchema,
});

export type PlanSpec = z.output<typeof planSpec>;

/** What a subscription grants: policies (limits, as a rule) that run after the API's own. */
export const plan = defineResource({
  kind: "Plan",
  idKind: "plan",
  path: "plans",
  title: "Plan",
  summary: "How much a subscription grants.",
  spec: planSpec,
  live: "at-once",
  references: () => [],
  examples: [{ policies: [{ use: "rate-limit", with: { requests: 100, windowMs: 60_000 } }] }],
});
