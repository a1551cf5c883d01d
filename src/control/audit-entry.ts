import { z } from "zod";
import type { AuditRow } from "../core/catalog.ts";
import type { CoreContext } from "../core/core-context.ts";
import { teamNames } from "./resource-view.ts";
import { schemaComponent } from "./schema-component.ts";

/** One line of the audit, as it is answered and exported. */
export const auditEntrySchema = z.strictObject({
  seq: z.int().meta({ description: "Its number in the chain; there are no gaps." }),
  id: z.string(),
  at: z.iso.datetime(),
  actor: z.string(),
  actorType: z.string().meta({ description: "What kind of principal acted; `system` is the product itself." }),
  action: z.string().meta({ description: "One of docs/reference/audit-actions.md." }),
  kind: z.string(),
  resourceId: z.string(),
  resourceName: z.string(),
  team: z.string().meta({ description: "Empty for what belongs to the installation." }),
  teamId: z.string(),
  clientAddress: z.string().nullable(),
  requestId: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).meta({ description: "What changed, as far as it may be told." }),
  previousHash: z.string().meta({ description: "The hash of the line before." }),
  hash: z.string().meta({ description: "SHA-256 over the RFC 8785 form of this line and the hash before, hex." }),
});

/** Its component of the OpenAPI document. */
export const auditEntry = schemaComponent("AuditEntry", auditEntrySchema, "output");

/** Rows as they are answered, with the names of their teams. */
export async function auditEntries(
  context: CoreContext,
  rows: readonly AuditRow[],
): Promise<readonly z.output<typeof auditEntrySchema>[]> {
  const names = await teamNames(
    context,
    rows.map((row) => row.teamId),
  );
  return rows.map(({ atMs, ...row }) => ({
    ...row,
    team: names.get(row.teamId) ?? row.teamId,
    at: new Date(atMs).toISOString(),
  }));
}
