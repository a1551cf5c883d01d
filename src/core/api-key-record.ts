import type { ApiKeyRow } from "./catalog.ts";
import type { CoreContext } from "./core-context.ts";
import type { CredentialRecord } from "./plane-message.ts";

/** What a gateway is told of a key: the columns that it checks a request with, and no others. */
export function credentialRecord(row: ApiKeyRow): CredentialRecord {
  return {
    id: row.id,
    publicId: row.publicId,
    hash: row.hash,
    pepperId: row.pepperId,
    apiId: row.apiId,
    applicationId: row.applicationId,
    environment: row.environment,
    expiresAtMs: row.expiresAtMs,
    permittedIps: row.permittedIps,
    permittedReferrers: row.permittedReferrers,
    allow: row.allow,
    teamId: row.teamId,
    budgets: row.budgets,
    labels: row.labels,
    ...(row.previous === undefined ? {} : { previous: row.previous }),
  };
}

/** The key as it stands at a moment: an older value whose overlap is over is no part of it any more. */
export function withoutEnded<Row extends ApiKeyRow>(row: Row, nowMs: number): Row {
  if (row.previous === undefined || row.previous.expiresAtMs > nowMs) return row;
  const { previous: _, ...rest } = row;
  return rest as Row; // the one member that is gone is optional
}

/** Whether gateways are to know the key: one of an application only while such keys are allowed, else it opens nothing. */
export function mayOpen({ legacyApplicationKeys = false }: CoreContext, { apiId }: ApiKeyRow): boolean {
  return apiId !== null || legacyApplicationKeys;
}
