import { z } from "zod";
import type { AuditVerification } from "../core/verify-audit.ts";
import { verifyAudit } from "../core/verify-audit.ts";
import type { ControlRoute } from "./control-route.ts";
import { defineRoute, jsonAnswer } from "./control-route.ts";
import { schemaComponent } from "./schema-component.ts";

/** Checks the audit's chain, a page a call. */
export function verifyAuditRoute(): ControlRoute {
  return defineRoute({
    method: "get",
    path: "/api/v1/audit/verify",
    access: { permission: "audit:read" },
    tag: "Audit",
    operationId: "verifyAudit",
    summary: "Check that no line of the audit was changed, removed, inserted or moved",
    query: z.strictObject({
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(5_000)
        .default(1_000)
        .meta({ title: "Limit", description: "Lines of a page, 1 to 5000." }),
      cursor: z
        .string()
        .max(100)
        .optional()
        .meta({ title: "Cursor", description: "`next` of the page before; the first page when absent." }),
      checkpoint: z.string().max(300).optional().meta({
        title: "Checkpoint",
        description: "Where given, on every page: shows that nothing was cut off since.",
      }),
    }),
    answers: { 200: { description: "What came of a page; at the end, of the whole.", schema: verificationView } },
    handle: async ({ context, query }) => jsonAnswer(200, viewOf(await verifyAudit(context, query))),
  });
}

/** One page's result, as it is answered. */
export const auditVerificationSchema = z.strictObject({
  rows: z.int().meta({ description: "Lines of this page." }),
  findings: z.array(
    z.strictObject({
      type: z.enum(["changed", "removed", "moved", "truncated", "signature", "checkpoint"]),
      seq: z.int().meta({ description: "The line at which it shows." }),
      detail: z.string(),
    }),
  ),
  next: z.string().optional().meta({ description: "The cursor of the next page; absent at the end." }),
  head: z.strictObject({ seq: z.int(), hash: z.string() }).meta({ description: "The last line that was seen." }),
  guarantee: z
    .strictObject({
      installation: z.string(),
      signed: z
        .strictObject({
          from: z.int(),
          since: z.iso.datetime(),
          began: z.enum(["new", "upgraded", "mismatch"]),
        })
        .optional()
        .meta({ description: "From which line on a change needs more than the database." }),
      anchored: z
        .strictObject({ seq: z.int(), at: z.iso.datetime() })
        .optional()
        .meta({ description: "Up to which line a checkpoint shows that nothing was cut off." }),
    })
    .optional()
    .meta({ description: "How much a sound chain proves; at the end only." }),
});

const verificationView = schemaComponent("AuditVerification", auditVerificationSchema, "output");

function viewOf({ guarantee, ...page }: AuditVerification): z.input<typeof auditVerificationSchema> {
  const rest = { ...page, findings: [...page.findings] };
  if (guarantee === undefined) return rest;
  const { installation, signed, anchored } = guarantee;
  return {
    ...rest,
    guarantee: {
      installation,
      signed: signed && { from: signed.signedFrom, since: isoTime(signed.signedSinceMs), began: signed.began },
      anchored: anchored && { seq: anchored.seq, at: isoTime(anchored.atMs) },
    },
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
