import { z } from "zod";
import { complianceSummary, policyAdherence, shownStatus } from "../core/compliance.ts";
import type { ComplianceRow } from "../core/compliance-tables.ts";
import { complianceStatuses } from "../core/compliance-tables.ts";
import { findingSeverities, governedKinds } from "../core/governed-kinds.ts";
import { findKind } from "../core/kinds.ts";
import { pinKinds } from "../core/mcp-definition.ts";
import { getResource } from "../core/resources.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
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

/** How a resource stands to each policy that is for it. */
export const policyResultsSchema = z.array(
  z.strictObject({
    policy: z.string(),
    status: z.enum(["FOLLOWED", "VIOLATED", "UNAPPLIED"]),
    rulesets: z.array(
      z.strictObject({
        ruleset: z.string(),
        status: z.enum(["PASSED", "FAILED", "UNAPPLIED"]),
        rules: z.int().meta({ description: "Rules that were looked at." }),
        findings: z.array(findingSchema),
        faults: z
          .array(z.strictObject({ rule: z.string().nullable(), message: z.string() }))
          .meta({ description: "Rules that could not be evaluated: their own fault." }),
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
const count = z.int();
const summarySchema = z.strictObject({
  total: count,
  compliant: count,
  nonCompliant: count,
  notApplicable: count,
  pending: count,
});
const adherenceSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      policy: z.string(),
      status: z.enum(["FOLLOWED", "VIOLATED", "UNAPPLIED"]),
      followed: count,
      violated: count,
      unapplied: count,
    }),
  ),
});

const listQuery = pageQuery.extend({
  kind: z.enum(governedKinds).optional().meta({ title: "Kind" }),
  status: z.enum(complianceStatuses).optional().meta({ title: "Status", description: "As it was found last." }),
});

const base = "/api/v1/governance";
const tag = "Governance";
const access = { permission: "governance:read" } as const;

/** How resources stand to the rules. */
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
    defineRoute({
      tag,
      method: "get",
      path: `${base}/policy-adherence`,
      operationId: "listPolicyAdherence",
      access,
      summary: "Whether each policy is followed, and by how many resources",
      answers: {
        200: { description: "All policies.", schema: schemaComponent("PolicyAdherence", adherenceSchema, "output") },
      },
      async handle({ context }) {
        return jsonAnswer(200, { items: await policyAdherence(context) });
      },
    }),
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
    async handle(call) {
      const { context, params } = call;
      const kind = findKind(params["kind"] ?? "");
      const resource = kind === undefined ? undefined : await getResource(context, kind, nameOf(call));
      const row = resource && (await context.catalog.read.compliance.find(resource.id));
      if (row === undefined) {
        throw new GatewayError("resource.not_found", "There is no such resource that rules are held against.");
      }
      return jsonAnswer(200, longView(row));
    },
  });
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
