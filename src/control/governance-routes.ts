import { z } from "zod";
import { complianceSummary, shownStatus } from "../core/compliance.ts";
import type { ComplianceRow, KeptFinding } from "../core/compliance-tables.ts";
import { complianceStatuses } from "../core/compliance-tables.ts";
import { findingSeverities, governedKinds } from "../core/governed-kinds.ts";
import { findKind } from "../core/kinds.ts";
import { pinKinds } from "../core/mcp-definition.ts";
import { getResource } from "../core/resources.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlCall, ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { governanceAdherenceRoutes } from "./governance-adherence-routes.ts";
import { governanceRulesetRoutes } from "./governance-ruleset-routes.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

const findingSchema = z.strictObject({
  rule: z.string(),
  severity: z.enum(findingSeverities),
  message: z.string(),
  path: z.string(),
  line: z.int().meta({ description: "From 1, in the indented JSON of what was evaluated." }),
  howToFix: z.string().nullable(),
  documentationUrl: z.string().nullable(),
  exemption: z.string().nullable().meta({ description: "What keeps it from counting." }),
  entry: z
    .strictObject({ kind: z.enum(pinKinds), name: z.string() })
    .optional()
    .meta({ description: "What of an MCP server it is about." }),
  isHeld: z.boolean().optional().meta({ description: "The policy keeps that entry in quarantine." }),
});

const rulesetStatus = z.enum(["PASSED", "FAILED", "UNAPPLIED"]);
const faultsSchema = z.array(z.strictObject({ rule: z.string().nullable(), message: z.string() })).meta({
  description: "Rules that could not be evaluated, which is their own fault, and those that find more than is kept.",
});

/** How a resource stands to each policy that is for it. */
export const policyResultsSchema = z.array(
  z.strictObject({
    policy: z.string(),
    status: z.enum(["FOLLOWED", "VIOLATED", "UNAPPLIED"]),
    rulesets: z.array(
      z.strictObject({
        ruleset: z.string(),
        status: rulesetStatus,
        rules: z.int().meta({ description: "Rules that were looked at." }),
        findings: z.array(findingSchema),
        faults: faultsSchema,
      }),
    ),
  }),
);

const shortSchema = z.strictObject({
  kind: z.string(),
  name: z.string(),
  status: z.enum(complianceStatuses),
  score: z.int().nullable().meta({ description: "The share of rules that are kept, in hundredths." }),
  evaluatedAt: z.iso.datetime().nullable(),
  suspension: z
    .strictObject({ policies: z.array(z.string()), rules: z.array(z.string()) })
    .nullable()
    .meta({ description: "What keeps the deployed API from answering." }),
});
const longSchema = shortSchema.extend({ policies: policyResultsSchema });
const violatedRuleSchema = z.strictObject({
  rule: z.string(),
  severity: z.enum(findingSeverities),
  howToFix: z.string().nullable(),
  documentationUrl: z.string().nullable(),
  violatedPaths: z.array(
    z.strictObject({
      path: z.string(),
      line: z.int().meta({ description: "From 1, in the indented JSON of what was evaluated." }),
      description: z.string(),
      exemption: z.string().nullable(),
      entry: findingSchema.shape.entry,
    }),
  ),
});
const resultsSchema = z.strictObject({
  kind: z.string(),
  name: z.string(),
  ruleset: z.string(),
  status: rulesetStatus.meta({ description: "FAILED where it fails for one of the policies." }),
  policies: z.array(z.strictObject({ policy: z.string(), status: rulesetStatus })),
  rules: z.int().meta({ description: "Rules that were looked at." }),
  violatedRules: z.array(violatedRuleSchema),
  faults: faultsSchema,
});
const count = z.int();
const summarySchema = z.strictObject({
  total: count,
  compliant: count,
  nonCompliant: count,
  notApplicable: count,
  pending: count,
});
const listQuery = pageQuery.extend({
  kind: z.enum(governedKinds).optional().meta({ title: "Kind" }),
  status: z.enum(complianceStatuses).optional().meta({ title: "Status", description: "As it was found last." }),
});

const base = "/api/v1/governance";
const tag = "Governance";
const access = { permission: "governance:read" } as const;

/** How resources stand to the rules, which rules there are, and how policies fare. */
export function governanceRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      tag,
      method: "get",
      path: `${base}/artifact-compliance`,
      operationId: "listCompliance",
      access,
      summary: "How resources stand to the rules that are for them",
      query: listQuery,
      answers: {
        200: {
          description: "A page.",
          schema: pageComponent(schemaComponent("Compliance", shortSchema, "output")),
          headers: ["Link"],
        },
      },
      async handle({ context, query, url }) {
        const { kind, status } = query;
        const filter = { ...(kind !== undefined && { kind }), ...(status !== undefined && { status }) };
        const { rows, next } = await context.catalog.read.compliance.list(filter, pageRequest(query));
        return pageAnswer(url, rows.map(shortView), next);
      },
    }),
    defineRoute({
      tag,
      method: "get",
      path: `${base}/artifact-compliance/summary`,
      operationId: "summarizeCompliance",
      access,
      summary: "How many resources stand how",
      answers: {
        200: { description: "The numbers.", schema: schemaComponent("ComplianceSummary", summarySchema, "output") },
      },
      async handle({ context }) {
        const { total, ...found } = await complianceSummary(context);
        const { COMPLIANT: compliant, NON_COMPLIANT: nonCompliant } = found;
        const { NOT_APPLICABLE: notApplicable, PENDING: pending } = found;
        return jsonAnswer(200, { total, compliant, nonCompliant, notApplicable, pending });
      },
    }),
    oneRoute(),
    resultsRoute(),
    ...governanceAdherenceRoutes(),
    ...governanceRulesetRoutes(),
  ];
}

function oneRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${base}/artifact-compliance/{kind}/{name}`,
    operationId: "getCompliance",
    access,
    summary: "How one resource stands to each policy and ruleset, with every finding",
    answers: {
      200: { description: "What was found.", schema: schemaComponent("ComplianceDetails", longSchema, "output") },
    },
    handle: async (call) => jsonAnswer(200, longView(await rowOf(call))),
  });
}

function resultsRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${base}/artifact-compliance/{kind}/{name}/ruleset-validation-results/{ruleset}`,
    operationId: "getRulesetValidationResults",
    access,
    summary: "What one ruleset has found in one resource, rule by rule",
    answers: {
      200: {
        description: "What was found.",
        schema: schemaComponent("RulesetValidationResults", resultsSchema, "output"),
      },
    },
    async handle(call) {
      const row = await rowOf(call);
      const results = resultsOf(row, call.params["ruleset"] ?? "");
      if (results !== undefined) return jsonAnswer(200, results);
      throw new GatewayError("resource.not_found", `No policy holds that ruleset against ${row.kind}/${row.name}.`);
    },
  });
}

async function rowOf(call: ControlCall): Promise<ComplianceRow> {
  const { context, params } = call;
  const kind = findKind(params["kind"] ?? "");
  const resource = kind === undefined ? undefined : await getResource(context, kind, nameOf(call));
  const row = resource && (await context.catalog.read.compliance.find(resource.id));
  if (row !== undefined) return row;
  throw new GatewayError("resource.not_found", "There is no such resource that rules are held against.");
}

function resultsOf(row: ComplianceRow, ruleset: string): z.output<typeof resultsSchema> | undefined {
  const found = row.policies.flatMap(({ policy, rulesets }) =>
    rulesets.filter((each) => each.ruleset === ruleset).map((result) => ({ policy, result })),
  );
  const [first] = found;
  if (first === undefined) return undefined;
  const has = (status: string): boolean => found.some(({ result }) => result.status === status);
  const { rules, findings, faults } = first.result; // of every policy the same: they differ in what counts
  const byRule = Map.groupBy(findings, ({ rule }) => rule);
  return {
    kind: row.kind,
    name: row.name,
    ruleset,
    status: has("FAILED") ? "FAILED" : has("PASSED") ? "PASSED" : "UNAPPLIED",
    policies: found.map(({ policy, result }) => ({ policy, status: result.status })),
    rules,
    violatedRules: [...byRule].map(([rule, each]) => violatedRule(rule, each)),
    faults: [...faults],
  };
}

function violatedRule(rule: string, findings: readonly KeptFinding[]): z.output<typeof violatedRuleSchema> {
  const [first] = findings;
  return {
    rule,
    severity: first?.severity ?? "warn",
    howToFix: first?.howToFix ?? null,
    documentationUrl: first?.documentationUrl ?? null,
    violatedPaths: findings.map(({ path, line, message, exemption, entry }) => ({
      path,
      line,
      description: message,
      exemption,
      ...(entry !== undefined && { entry }),
    })),
  };
}

function shortView(row: ComplianceRow) {
  const { kind, name, score, suspension, evaluatedAtMs } = row;
  const evaluatedAt = evaluatedAtMs === null ? null : new Date(evaluatedAtMs).toISOString();
  return { kind, name, status: shownStatus(row), score, evaluatedAt, suspension };
}

function longView(row: ComplianceRow) {
  return { ...shortView(row), policies: row.policies.map(policyView) };
}

/** A policy's result as people get it. */
export function policyView({ policy, status, rulesets }: ComplianceRow["policies"][number]) {
  return { policy, status, rulesets: rulesets.map(({ inputHash: _, ...result }) => result) };
}
