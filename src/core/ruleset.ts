import { z } from "zod";
import { governedKinds } from "./governed-kinds.ts";
import type { Reference } from "./resource.ts";
import { defineResource, nameSchema } from "./resource.ts";

const rulesetSpec = z.strictObject({
  displayName: z.string().max(200).optional().meta({ title: "Display name" }),
  description: z.string().max(10_000).optional().meta({ title: "Description" }),
  owner: z.string().max(200).optional().meta({ title: "Owner", description: "Whom to ask about its rules." }),
  documentationUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional()
    .meta({ title: "Documentation", description: "Where its rules are explained." }),
  type: z.enum(["metadata", "definition", "documentation"]).default("metadata").meta({
    title: "Type",
    description:
      "What of a resource its rules look at: `definition` is the OpenAPI or AsyncAPI document, the others the resource itself.",
  }),
  artifacts: z
    .array(z.enum(governedKinds))
    .min(1)
    .max(governedKinds.length)
    .meta({ title: "Artifacts", description: "The kinds that it is for; others are not applicable." }),
  ruleset: z
    .looseObject({})
    .refine((ruleset) => !Object.hasOwn(ruleset, "functions") && !Object.hasOwn(ruleset, "functionsDir"), {
      message: "a ruleset with functions of its own is not taken: `functions` and `functionsDir` run code",
    })
    .meta({
      title: "Ruleset",
      description: "As Spectral has it: `extends`, `rules`, `aliases`, `overrides`, `formats`.",
    }),
});

export type RulesetSpec = z.output<typeof rulesetSpec>;

/** Rules that resources are held against by policies. */
export const ruleset = defineResource({
  kind: "Ruleset",
  idKind: "ruleset",
  path: "rulesets",
  title: "Ruleset",
  summary: "Rules that resources are held against.",
  spec: rulesetSpec,
  live: "at-once",
  references: (spec): readonly Reference[] =>
    extendedRulesets(spec.ruleset)
      .filter(isStoredRuleset)
      .map((name) => ({ kind: "Ruleset", name, path: "spec.ruleset.extends" })),
  examples: [
    { artifacts: ["RestApi"], type: "definition", ruleset: { extends: ["spectral:oas"] } },
    {
      artifacts: ["McpServer", "LlmApi"],
      ruleset: {
        rules: {
          described: {
            description: "Says what it is for.",
            severity: "error",
            given: "$.spec",
            // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
            then: { field: "description", function: "truthy" }, // oxlint-disable-line unicorn/no-thenable
          },
        },
      },
    },
  ],
});

/** The names that a ruleset's `extends` has, stored ones and those that ship with the product. */
export function extendedRulesets(content: Readonly<Record<string, unknown>>): readonly string[] {
  const { extends: names } = content;
  return (Array.isArray(names) ? names : [names]).flatMap((each: unknown) => {
    const name: unknown = Array.isArray(each) ? each[0] : each;
    return typeof name === "string" ? [name] : [];
  });
}

/** Whether a name is that of a stored ruleset: those that ship with the product have a colon, an at sign or a slash. */
export function isStoredRuleset(name: string): boolean {
  return nameSchema.safeParse(name).success;
}
