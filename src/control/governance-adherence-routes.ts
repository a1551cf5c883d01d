import { z } from "zod";
import type { PolicyAdherence } from "../core/compliance.ts";
import { adherenceOf, policyAdherence, shownStatus } from "../core/compliance.ts";
import type { ComplianceRow } from "../core/compliance-tables.ts";
import { complianceStatuses } from "../core/compliance-tables.ts";
import { governancePolicy } from "../core/governance-policy.ts";
import { getResource } from "../core/resources.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer, nameOf } from "./control-route.ts";
import { pageByName } from "./page-by-name.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

const statuses = z.enum(["FOLLOWED", "VIOLATED", "UNAPPLIED"]);
const count = z.int();
const adherenceSchema = z.strictObject({
  policy: z.string(),
  status: statuses.meta({ description: "UNAPPLIED where it holds for nothing, or nothing was looked at yet." }),
  followed: count,
  violated: count,
  unapplied: count,
});
const standingSchema = z.strictObject({
  kind: z.string(),
  name: z.string(),
  status: statuses.meta({ description: "How it stands to this policy." }),
  compliance: z.enum(complianceStatuses).meta({ description: "How it stands to all policies." }),
  rulesets: z.array(
    z.strictObject({
      ruleset: z.string(),
      status: z.enum(["PASSED", "FAILED", "UNAPPLIED"]),
      findings: count,
    }),
  ),
});
const detailsSchema = adherenceSchema.extend({
  items: z.array(standingSchema),
  next: z.string().optional().meta({ description: "The cursor of the next page of resources; absent at the end." }),
});
const summarySchema = z.strictObject({ total: count, followed: count, violated: count, unapplied: count });

const base = "/api/v1/governance/policy-adherence";
const tag = "Governance";
const access = { permission: "governance:read" } as const;

/** Whether policies are followed, counted over the resources that the caller may see. */
export function governanceAdherenceRoutes(): readonly ControlRoute[] {
  return [listRoute(), summaryRoute(), oneRoute()];
}

function listRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: base,
    operationId: "listPolicyAdherence",
    access,
    summary: "Whether each policy is followed, and by how many resources",
    query: pageQuery.extend({ status: statuses.optional().meta({ title: "Status" }) }),
    answers: {
      200: {
        description: "A page, in the order of names.",
        schema: pageComponent(schemaComponent("PolicyAdherence", adherenceSchema, "output")),
        headers: ["Link"],
      },
    },
    async handle({ context, query, url }) {
      const all = await policyAdherence(context);
      const wanted = all.filter(({ status }) => query.status === undefined || status === query.status);
      const { rows, next } = pageByName(wanted, ({ policy }) => policy, pageRequest(query));
      return pageAnswer(url, rows, next);
    },
  });
}

function summaryRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${base}/summary`,
    operationId: "summarizePolicyAdherence",
    access,
    summary: "How many policies are followed",
    answers: {
      200: {
        description: "The numbers.",
        schema: schemaComponent("PolicyAdherenceSummary", summarySchema, "output"),
      },
    },
    async handle({ context }) {
      const all = await policyAdherence(context);
      const those = (wanted: PolicyAdherence["status"]) => all.filter(({ status }) => status === wanted).length;
      const [followed, violated, unapplied] = [those("FOLLOWED"), those("VIOLATED"), those("UNAPPLIED")];
      return jsonAnswer(200, { total: all.length, followed, violated, unapplied });
    },
  });
}

function oneRoute(): ControlRoute {
  return defineRoute({
    tag,
    method: "get",
    path: `${base}/{name}`,
    operationId: "getPolicyAdherence",
    access,
    summary: "How each resource that a policy holds for stands to it",
    query: pageQuery,
    answers: {
      200: {
        description: "The policy, and a page of resources.",
        schema: schemaComponent("PolicyAdherenceDetails", detailsSchema, "output"),
        headers: ["Link"],
      },
    },
    async handle(call) {
      const { name } = await getResource(call.context, governancePolicy, nameOf(call));
      const { rows, ...adherence } = await adherenceOf(call.context, name);
      const place = ({ kind, name: own }: ComplianceRow): string => `${kind}/${own}`;
      const page = pageByName(rows, place, pageRequest(call.query));
      const items = page.rows.map((row) => standingView(row, name));
      return pageAnswer(call.url, items, page.next, adherence);
    },
  });
}

function standingView(row: ComplianceRow, name: string): z.output<typeof standingSchema> {
  const { kind, name: own, policies } = row;
  const { status = "UNAPPLIED", rulesets = [] } = policies.find(({ policy }) => policy === name) ?? {};
  return {
    kind,
    name: own,
    status,
    compliance: shownStatus(row),
    rulesets: rulesets.map((each) => ({
      ruleset: each.ruleset,
      status: each.status,
      findings: each.findings.length,
    })),
  };
}
