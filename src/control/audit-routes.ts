import { z } from "zod";
import { makeCheckpoint } from "../core/audit-checkpoint.ts";
import type { AuditFilter } from "../core/audit-log.ts";
import type { CoreContext } from "../core/core-context.ts";
import { auditEntries, auditEntry } from "./audit-entry.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { pageAnswer, pageQuery, pageRequest } from "./page-query.ts";
import { pageComponent, schemaComponent } from "./schema-component.ts";
import { verifyAuditRoute } from "./verify-audit-route.ts";

/** Who did what to what, in the order in which it happened, and that nobody changed it since. */
export function auditRoutes(): readonly ControlRoute[] {
  return [listAudit(), exportAudit(), verifyAuditRoute(), checkpointAudit()];
}

const text = (title: string, description: string) => z.string().min(1).max(256).optional().meta({ title, description });
const moment = (title: string, description: string) =>
  z.iso.datetime({ offset: true }).optional().meta({ title, description });

const filterQuery = z.strictObject({
  actor: text("Actor", "Who acted, by id."),
  action: text("Action", "One action, or all of one subject: `plan.*`."),
  kind: text("Kind", "Of the resource: `Plan`."),
  resourceId: text("Resource", "One resource's id."),
  resourceName: text("Name", "The name of the resource then."),
  from: moment("From", "This moment and later."),
  to: moment("To", "Before this moment."),
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({
    title: "After",
    description: "Only lines behind this number.",
  }),
});

function filterOf({ from, to, after, ...plain }: z.output<typeof filterQuery>): AuditFilter {
  const ms = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));
  return { ...plain, fromMs: ms(from), toMs: ms(to), afterSeq: after };
}

function listAudit(): ControlRoute {
  return defineRoute({
    method: "get",
    path: "/api/v1/audit",
    access: { permission: "audit:read" },
    tag: "Audit",
    operationId: "listAudit",
    summary: "List what was changed, by whom and when",
    query: pageQuery.extend(filterQuery.shape).extend({
      order: z
        .enum(["oldest", "latest"])
        .default("oldest")
        .meta({ title: "Order", description: "Which lines come first." }),
    }),
    answers: { 200: { description: "A page.", schema: pageComponent(auditEntry), headers: ["Link"] } },
    async handle({ context, query: { limit, cursor, order, ...filter }, url }) {
      const page = pageRequest({ limit, cursor });
      const { rows, next } = await context.catalog.read.audit.list(filterOf(filter), page, order);
      return pageAnswer(url, await auditEntries(context, rows), next);
    },
  });
}

function exportAudit(): ControlRoute {
  return defineRoute({
    method: "get",
    path: "/api/v1/audit/export",
    access: { permission: "audit:read" },
    tag: "Audit",
    operationId: "exportAudit",
    summary: "All lines of the audit as NDJSON, the oldest first",
    query: filterQuery,
    answers: { 200: { description: "One JSON object a line.", mediaType: "application/x-ndjson" } },
    async handle({ context, query }) {
      const lines = exported(context, filterOf(query));
      const { value } = await lines.next(); // what fails at once fails with a status
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          if (typeof value === "string") controller.enqueue(Buffer.from(value));
          else controller.close();
        },
        async pull(controller) {
          const page = await lines.next();
          if (page.done === true) controller.close();
          else controller.enqueue(Buffer.from(page.value));
        },
        async cancel() {
          await lines.return();
        },
      });
      return new Response(stream, { headers: { "content-type": "application/x-ndjson" } });
    },
  });
}

async function* exported(context: CoreContext, filter: AuditFilter): AsyncGenerator<string, void> {
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const { rows, next } = await context.catalog.read.audit.list(filter, { limit: 200, cursor });
    const entries = await auditEntries(context, rows);
    if (entries.length > 0) yield entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    cursor = next;
  }
}

function checkpointAudit(): ControlRoute {
  return defineRoute({
    method: "post",
    path: "/api/v1/audit/checkpoint",
    access: { permission: "audit:read" },
    tag: "Audit",
    operationId: "checkpointAudit",
    summary: "A signed line that stands for all lines so far, to be kept elsewhere",
    answers: { 200: { description: "The checkpoint.", schema: checkpointView } },
    handle: async ({ context }) => jsonAnswer(200, { checkpoint: await makeCheckpoint(context) }),
  });
}

const checkpointView = schemaComponent(
  "AuditCheckpoint",
  z.strictObject({ checkpoint: z.string().meta({ description: "`gac1.…`; holds nothing secret." }) }),
  "output",
);
