import { z } from "zod";
import { scopeSchema } from "./api-spec.ts";
import { environmentSchema } from "./environment.ts";

const globs = z.array(z.string().min(1).max(512)).min(1).max(100);
const scopes = z.array(scopeSchema).min(1).max(50);
const claimValue = z.union([z.string().max(500), z.number(), z.boolean()]);

const onSchema = z
  .strictObject({
    tools: globs.optional().meta({ title: "Tools", description: "Globs of tools by name." }),
    prompts: globs.optional().meta({ title: "Prompts", description: "Globs of prompts by name." }),
    resources: globs
      .optional()
      .meta({ title: "Resources", description: "Globs of resources by URI, and of templates by their text." }),
    methods: globs.optional().meta({
      title: "Methods",
      description:
        "Globs of MCP methods. With names beside them both have to match; alone they match whatever is asked for by them.",
    }),
  })
  .refine((on) => Object.values(on).some((list) => list !== undefined), "Say what the rule is for, or leave `on` out.");

const ruleSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
    .optional()
    .meta({ title: "Id", description: "Names the rule in rows; its place in the list when absent." }),
  on: onSchema
    .optional()
    .meta({ title: "For", description: "What the rule is for; every tool, prompt and resource when absent." }),
  scopes: scopes.optional().meta({ title: "Scopes", description: "The token must have all of them. Keys have none." }),
  anyScopes: scopes
    .optional()
    .meta({ title: "Any of these scopes", description: "The token must have one of them; the first is asked for." }),
  claims: z
    .record(z.string().min(1).max(200), z.union([claimValue, z.array(claimValue).min(1).max(100)]))
    .optional()
    .meta({
      title: "Claims",
      description: "Each claim of the token must be one of its values, or a list that holds one.",
    }),
  applications: globs
    .optional()
    .meta({ title: "Applications", description: "Ids of applications whose keys and clients may; globs." }),
  keyTypes: z
    .array(environmentSchema)
    .min(1)
    .max(2)
    .optional()
    .meta({ title: "Key types", description: "Whether production credentials may, or sandbox ones." }),
  when: z.string().min(1).max(2_000).optional().meta({
    title: "Condition",
    description:
      "A CEL expression over `principal`, `arguments`, `operation`, `request` and `api` that must be true. One that fails is not. What reads `arguments` is judged at the call and not in lists.",
  }),
});

/** `spec.authorization` of an MCP server: who may see and use which tools, prompts and resources. */
export const mcpAuthorizationSchema = z
  .strictObject({
    rules: z
      .array(ruleSchema)
      .max(500)
      .default([])
      .meta({ title: "Rules", description: "All that match must hold: the particular and the general ones." }),
    default: z
      .enum(["allow", "deny"])
      .default("allow")
      .meta({ title: "Default", description: "For a tool, prompt or resource that no rule is for." }),
    hidden: z.boolean().default(true).meta({
      title: "Hidden",
      description:
        "What a caller may not use looks like what is not there. When false a refusal says so, and who lacks scopes only sees it in lists and is told which.",
    }),
  })
  .refine(({ rules }) => new Set(rules.map(ruleId)).size === rules.length, {
    path: ["rules"],
    message: "Two rules have the same id.",
  });

export type McpAuthorizationSpec = z.output<typeof mcpAuthorizationSchema>;
export type McpAuthorizationRule = z.output<typeof ruleSchema>;

/** What a rule is called in rows. */
export function ruleId({ id }: Pick<McpAuthorizationRule, "id">, index: number): string {
  return id ?? `rules[${index}]`;
}
