import { z } from "zod";
import { governedKinds } from "./governed-kinds.ts";
import { defineResource, nameSchema } from "./resource.ts";

const exemptionSpec = z.strictObject({
  artifact: z
    .strictObject({ kind: z.enum(governedKinds), name: nameSchema })
    .meta({ title: "Artifact", description: "The one resource that it is for." }),
  rule: z.string().min(1).max(200).meta({ title: "Rule", description: "The name of the rule that does not count." }),
  ruleset: z.string().min(1).max(200).optional().meta({
    title: "Ruleset",
    description: "Only the rule of that ruleset; of every one when absent.",
  }),
  path: z.string().max(2_000).optional().meta({
    title: "Path",
    description: "Only findings at this path or below it, such as `tools[2]`; everywhere when absent.",
  }),
  reason: z.string().min(1).max(2_000).meta({ title: "Reason", description: "Why it is right to leave this so." }),
  approver: z.string().min(1).max(200).meta({ title: "Approver", description: "Who has agreed." }),
  expiresAt: z.iso
    .datetime()
    .optional()
    .meta({ title: "Expires at", description: "After that the rule counts again; never when absent." }),
});

export type ExemptionSpec = z.output<typeof exemptionSpec>;

/** Lets one resource break one rule. */
export const exemption = defineResource({
  kind: "Exemption",
  idKind: "exemption",
  path: "exemptions",
  title: "Exemption",
  summary: "Lets one resource break one rule, for a reason and a time.",
  spec: exemptionSpec,
  live: "at-once",
  // The resource cannot be deleted while it stands: another of that name must not inherit it.
  references: ({ artifact }) => [{ ...artifact, path: "spec.artifact" }],
  examples: [
    {
      artifact: { kind: "Application", name: "support-bot" },
      rule: "application-owner",
      reason: "It is shared by the whole company.",
      approver: "ada@example.com",
      expiresAt: "2027-01-01T00:00:00Z",
    },
  ],
});
