import { z } from "zod";
import type { CoreContext } from "../core/core-context.ts";
import { governancePolicy } from "../core/governance-policy.ts";
import { governedKinds } from "../core/governed-kinds.ts";
import { extendedRulesets, ruleset } from "../core/ruleset.ts";
import { defaultRulesets, readDefaultRuleset } from "../governance/default-rulesets.ts";
import { packagedArtifacts } from "../governance/rule-book.ts";
import { packagedRulesets } from "../governance/spectral/ruleset-names.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { pageByName } from "./page-by-name.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

const knownSchema = z.strictObject({
  name: z.string().meta({ description: "As policies and `extends` have it." }),
  title: z.string(),
  type: z.enum(["metadata", "definition", "documentation"]),
  artifacts: z.array(z.enum(governedKinds)),
  isBuiltIn: z.boolean().meta({ description: "It ships with the product; others are read at `/api/v1/rulesets`." }),
});
type Known = z.output<typeof knownSchema>;

const contentSchema = z.strictObject({
  name: z.string(),
  ruleset: z.looseObject({}).meta({ description: "As Spectral has it." }),
});
const usageSchema = z.strictObject({
  name: z.string(),
  policies: z.array(z.string()).meta({ description: "Policies that hold it for resources." }),
  rulesets: z.array(z.string()).meta({ description: "Stored rulesets that extend it." }),
});

const listQuery = pageQuery.extend({
  kind: z.enum(governedKinds).optional().meta({ title: "Kind", description: "Only rulesets for this kind." }),
});

const base = "/api/v1/governance/rulesets";
const tag = "Governance";
const access = { permission: "governance:read" } as const;

/** The rulesets that policies may name: those that ship with the product beside those that are stored. */
export function governanceRulesetRoutes(): readonly ControlRoute[] {
  return [listRoute(), contentRoute(), usageRoute()];
}

function listRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: base,
    operationId: "listKnownRulesets",
    access,
    summary: "Every ruleset that policies may name, those that ship with the product too",
    query: listQuery,
    answers: {
      200: {
        description: "A page, in the order of names.",
        schema: pageComponent(schemaComponent("KnownRuleset", knownSchema, "output")),
        headers: ["Link"],
      },
    },
    async handle({ context, query, url }) {
      const all = [...builtIn, ...(await stored(context)).map(storedView)];
      const wanted = all.filter(({ artifacts }) => query.kind === undefined || artifacts.includes(query.kind));
      const { rows, next } = pageByName(wanted, ({ name }) => name, pageRequest(query));
      return pageAnswer(url, rows, next);
    },
  });
}

function contentRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${base}/{ruleset}/content`,
    operationId: "getRulesetContent",
    access,
    summary: "The rules of a ruleset, one that ships with the product too",
    answers: { 200: { description: "Its rules.", schema: schemaComponent("RulesetContent", contentSchema, "output") } },
    async handle({ context, params }) {
      const name = params["ruleset"] ?? "";
      const own = (await stored(context)).find((each) => each.name === name);
      if (own !== undefined) return jsonAnswer(200, { name, ruleset: own.spec.ruleset });
      const ours = Object.hasOwn(defaultRulesets, name) ? defaultRulesets[name] : undefined;
      if (ours !== undefined) return jsonAnswer(200, { name, ruleset: readDefaultRuleset(ours) });
      if (!packagedRulesets.includes(name)) throw noRuleset(name);
      throw new GatewayError("resource.not_found", `The rules of ${name} are the code of a package, and no document.`);
    },
  });
}

function usageRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${base}/{ruleset}/usage`,
    operationId: "getRulesetUsage",
    access,
    summary: "Which policies hold a ruleset for resources, and which rulesets extend it",
    answers: { 200: { description: "Its users.", schema: schemaComponent("RulesetUsage", usageSchema, "output") } },
    async handle({ context, params }) {
      const name = params["ruleset"] ?? "";
      const rulesets = await stored(context);
      if (!packagedRulesets.includes(name) && !rulesets.some((each) => each.name === name)) throw noRuleset(name);
      const policies = await context.catalog.read.resources.all(governancePolicy.kind);
      const holding = policies.filter(
        ({ spec }) => policySchema.safeParse(spec).data?.rulesets.includes(name) === true,
      );
      const extending = rulesets.filter(({ spec }) => extendedRulesets(spec.ruleset).includes(name));
      return jsonAnswer(200, { name, policies: namesOf(holding), rulesets: namesOf(extending) });
    },
  });
}

const policySchema = z.looseObject({ rulesets: z.array(z.string()) });

const builtIn: readonly Known[] = packagedRulesets.map((name) => {
  const ours = Object.hasOwn(defaultRulesets, name) ? defaultRulesets[name] : undefined;
  const { type, artifacts } = ours ?? packagedArtifacts;
  return { name, title: ours?.title ?? name, type, artifacts: [...artifacts], isBuiltIn: true };
});

/** Those of this version: another one's cannot be told. */
async function stored({ catalog }: CoreContext) {
  const rows = await catalog.read.resources.all(ruleset.kind);
  return rows.flatMap(({ name, spec }) => {
    const parsed = ruleset.spec.safeParse(spec);
    return parsed.success ? [{ name, spec: parsed.data }] : [];
  });
}

function storedView({ name, spec }: Awaited<ReturnType<typeof stored>>[number]): Known {
  const { displayName = name, type, artifacts } = spec;
  return { name, title: displayName, type, artifacts: [...artifacts], isBuiltIn: false };
}

function namesOf(rows: readonly { readonly name: string }[]): readonly string[] {
  return rows.map(({ name }) => name).toSorted();
}

function noRuleset(name: string): GatewayError {
  return new GatewayError("resource.not_found", `There is no ruleset ${name}.`);
}
