import { z } from "zod";
import { secretReferenceSchema } from "./api-spec.ts";
import { findingSeverities, governedKinds, governedStates } from "./governed-kinds.ts";
import { defineResource, nameSchema } from "./resource.ts";
import { isStoredRuleset } from "./ruleset.ts";

const targetSchema = z
  .union([
    z.literal("global"),
    z.strictObject({
      label: z.string().min(1).max(63).meta({ title: "Label", description: "Resources that have it." }),
      value: z.string().max(255).optional().meta({ title: "Value", description: "Any when absent." }),
    }),
    z.strictObject({ kind: z.enum(governedKinds), name: nameSchema }),
  ])
  .meta({ title: "Target", description: "`global`, a label, or one resource." });

export type GovernanceTarget = z.output<typeof targetSchema>;

const actionSchema = z
  .strictObject({
    state: z.enum(governedStates).meta({ title: "State" }),
    severity: z.enum(findingSeverities).meta({ title: "Severity", description: "Of the finding that this is for." }),
    type: z.enum(["block", "notify", "quarantine", "suspend"]).meta({
      title: "Action",
      description:
        "`block` refuses the deployment or publication; `notify` lets it pass; `quarantine`, at `runtime`, hides a tool, prompt or resource of an MCP server for as long as it breaks the rule, and refuses its use; `suspend`, at `runtime`, refuses all calls of a deployed API for as long.",
    }),
  })
  .refine(({ state, type }) => type !== "quarantine" || state === "runtime", {
    path: ["type"],
    message: "only at `runtime` something is put in quarantine",
  })
  .refine(({ state, type }) => type !== "suspend" || state === "runtime", {
    path: ["type"],
    message: "only at `runtime` something is suspended; `block` refuses a deployment",
  })
  .refine(({ state, type }) => type !== "block" || state === "deploy" || state === "publish", {
    path: ["type"],
    message: "only `deploy` and `publish` may be blocked: a draft may be as it is",
  });

const policySpec = z.strictObject({
  displayName: z.string().max(200).optional().meta({ title: "Display name" }),
  description: z.string().max(10_000).optional().meta({ title: "Description" }),
  rulesets: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(50)
    .refine((names) => new Set(names).size === names.length, "each ruleset once")
    .meta({ title: "Rulesets", description: "Stored ones by name, and those that ship with the product." }),
  targets: z
    .array(targetSchema)
    .max(200)
    .meta({ title: "Targets", description: "What it is for; a policy without targets is off." }),
  actions: z.array(actionSchema).max(16).default([]).meta({
    title: "Actions",
    description: "What a finding does, by state and severity; where nothing is said it is told only.",
  }),
  webhook: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .max(2_000)
        .meta({ title: "URL", description: "Is sent a POST." }),
      secret: secretReferenceSchema.optional(),
    })
    .optional()
    .meta({
      title: "Webhook",
      description:
        "Is told when a resource comes to break the policy, keeps it again, or something of it goes into quarantine or out of it; signed where there is a secret.",
    }),
  threshold: z.enum(findingSeverities).default("warn").meta({
    title: "Threshold",
    description: "The least severity that makes a resource non-compliant.",
  }),
});

export type GovernancePolicySpec = z.output<typeof policySpec>;

/** Says which rulesets hold for which resources, and what a finding does. */
export const governancePolicy = defineResource({
  kind: "GovernancePolicy",
  idKind: "governancePolicy",
  path: "governance-policies",
  title: "Governance policy",
  summary: "Which rulesets hold for which resources, and what a finding does.",
  spec: policySpec,
  live: "at-once",
  references: ({ rulesets }) =>
    rulesets.flatMap((name, index) =>
      isStoredRuleset(name) ? [{ kind: "Ruleset", name, path: `spec.rulesets[${index}]` }] : [],
    ),
  examples: [
    {
      rulesets: ["spectral:oas"],
      targets: ["global"],
      actions: [{ state: "deploy", severity: "error", type: "block" }],
    },
  ],
});
