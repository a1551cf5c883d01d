import { z } from "zod";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { teamNames } from "./resource-view.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";

/** Who did what to what, in the order in which it happened. */
export function auditRoutes(): readonly ControlRoute[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/v1/audit",
      access: "admin",
      tag: "Audit",
      operationId: "listAudit",
      summary: "List what was changed, by whom and when",
      query: pageQuery.extend({
        resourceId: z
          .string()
          .min(1)
          .max(100)
          .optional()
          .meta({ title: "Resource", description: "One resource's id." }),
      }),
      answers: { 200: { description: "A page.", schema: pageComponent(entry), headers: ["Link"] } },
      async handle({ context, query, url }) {
        const filter = query.resourceId === undefined ? {} : { resourceId: query.resourceId };
        const { rows, next } = await context.catalog.read.audit.list(filter, pageRequest(query));
        const names = await teamNames(
          context,
          rows.map((row) => row.teamId),
        );
        const items = rows.map(({ atMs, teamId, ...row }) => ({
          ...row,
          team: names.get(teamId) ?? teamId,
          at: new Date(atMs).toISOString(),
        }));
        return pageAnswer(url, items, next);
      },
    }),
  ];
}

/** One line of the audit. */
export const auditEntrySchema = z.strictObject({
  id: z.string(),
  at: z.iso.datetime(),
  actor: z.string(),
  action: z.string(),
  kind: z.string(),
  resourceId: z.string(),
  resourceName: z.string(),
  team: z.string(),
  detail: z.record(z.string(), z.unknown()).meta({ description: "What changed, as far as it may be told." }),
});
const entry = schemaComponent("AuditEntry", auditEntrySchema, "output");
