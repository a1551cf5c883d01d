import { z } from "zod";
import { complianceStatuses } from "../core/compliance-tables.ts";
import type { CoreContext } from "../core/core-context.ts";
import type { GovernanceGate, GovernedSubject, TrialVerdict } from "../core/governance-gate.ts";
import { governedKinds, isGoverned, isGoverning } from "../core/governed-kinds.ts";
import type { ReadDocument } from "../core/source-document.ts";
import { readDocuments } from "../core/source-document.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { policyResultsSchema, policyView } from "./governance-routes.ts";
import { parseInput } from "./parse-input.ts";
import { schemaComponent } from "./schema-component.ts";

const inputSchema = z.strictObject({
  documents: z.array(z.unknown()).min(1).max(100).meta({
    title: "Documents",
    description:
      "`{apiVersion, kind, metadata, spec}`: resources to look at, and rulesets, policies and exemptions to try. Where there are only rules, all resources are looked at.",
  }),
});

const blocked = z.int().meta({ description: "Findings that would block it." });
const ruleNames = z.strictObject({ policies: z.array(z.string()), rules: z.array(z.string()) });
const outputSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      kind: z.string(),
      name: z.string(),
      status: z.enum(complianceStatuses),
      score: z.int().nullable(),
      blocked: z.strictObject({ deploy: blocked, publish: blocked }),
      suspended: ruleNames.nullable().meta({
        description: "Why gateways would refuse calls of what is deployed of it; null where they would not.",
      }),
      quarantined: z
        .array(ruleNames.extend({ kind: z.string(), name: z.string() }))
        .meta({ description: "What an MCP server offers that would be hidden." }),
      policies: policyResultsSchema,
    }),
  ),
});

/** Says what would be found, and keeps nothing. */
export function governanceEvaluateRoute(): ControlRoute {
  return defineRoute({
    tag: "Governance",
    method: "post",
    path: "/api/v1/governance/evaluate",
    operationId: "evaluateGovernance",
    access: { permission: "governance:read" },
    summary: "What rules would find in resources, or drafts of rules in all that there is; nothing is kept",
    body: schemaComponent("GovernanceTrial", inputSchema, "input"),
    answers: {
      200: {
        description: "Each resource's result.",
        schema: schemaComponent("GovernanceVerdicts", outputSchema, "output"),
      },
    },
    async handle({ context, body }) {
      const { documents } = parseInput(inputSchema, await body(), { code: "resource.invalid" });
      const gate = context.governance;
      if (gate === undefined) throw new GatewayError("governance.unavailable", "Rulesets are not evaluated here.");
      const read = readDocuments(
        context,
        documents.map((value, index) => ({ source: `documents[${index}]`, line: 1, value })),
      );
      return jsonAnswer(200, { items: (await verdicts(context, gate, read)).map(verdictView) });
    },
  });
}

async function verdicts(
  context: CoreContext,
  gate: GovernanceGate,
  read: readonly ReadDocument[],
): Promise<readonly TrialVerdict[]> {
  const named = read.map(({ kind, document }) => ({ ...document, kind: kind.kind }));
  const rules = named.filter(({ kind }) => isGoverning(kind));
  for (const { kind, name } of rules) if (kind === "Ruleset") await gate.checkRuleset(name, rules);
  const given = named.filter(({ kind }) => !isGoverning(kind));
  const subjects = given.length > 0 ? given.filter(({ kind }) => isGoverned(kind)) : await everySubject(context);
  const verdicts = await gate.tryOut(subjects, rules);
  return [...verdicts, ...given.filter(({ kind }) => !isGoverned(kind)).map(notApplicable)];
}

/** Of a kind that no rules are for. */
function notApplicable({ kind, name }: Pick<GovernedSubject, "kind" | "name">): TrialVerdict {
  const nothing = { score: null, policies: [], blocked: { deploy: 0, publish: 0 }, suspended: null, quarantined: [] };
  return { kind, name, status: "NOT_APPLICABLE", ...nothing };
}

/** All resources that the caller may see. */
async function everySubject({ catalog }: CoreContext): Promise<readonly GovernedSubject[]> {
  const subjects: GovernedSubject[] = [];
  for (const kind of governedKinds) {
    let cursor: string | undefined;
    do {
      const page = await catalog.read.resources.list({ kind }, { limit: 200, cursor });
      subjects.push(...page.rows);
      cursor = page.next;
    } while (cursor !== undefined);
  }
  return subjects;
}

function verdictView({ policies, ...verdict }: TrialVerdict) {
  return { ...verdict, policies: policies.map(policyView) };
}
