import { GatewayError } from "../kernel/errors.ts";
import { bindApiKey } from "./api-key-binding.ts";
import { hashApiKey, makeApiKey } from "./api-key-format.ts";
import type { NamedApiKey } from "./api-key-names.ts";
import { nameApiKey } from "./api-key-names.ts";
import { credentialRecord, mayOpen, withoutEnded } from "./api-key-record.ts";
import type { ApiKeySpec } from "./api-key-spec.ts";
import type { AuditAction } from "./audit-actions.ts";
import { auditChanges } from "./audit-changes.ts";
import type { ApiKeyRow, CatalogTransaction } from "./catalog.ts";
import type { Actor, CoreContext, NamedKey } from "./core-context.ts";
import { invalid } from "./parse-document.ts";
import { changedMeanwhile, notFound } from "./resource-changes.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** Which key changes, and what the audit trail calls it. */
export interface KeyChange {
  readonly name: string;
  readonly expectedVersion?: number | undefined;
  readonly action: AuditAction;
}

/** A change to a key that is not revoked: stored, audited, and sent to the gateways. */
export async function changeKey(
  context: CoreContext,
  actor: Actor,
  { name, expectedVersion, action }: KeyChange,
  change: (write: Write, before: ApiKeyRow) => ApiKeyRow | Promise<ApiKeyRow>,
): Promise<NamedApiKey> {
  return inWrite(context, actor, async (write) => {
    const before = withoutEnded(await requireKey(write.transaction, name), write.nowMs);
    if (before.version !== (expectedVersion ?? before.version)) throw changedMeanwhile("ApiKey", name);
    if (before.revokedAtMs !== null) {
      throw new GatewayError("resource.invalid", `The key ${name} is revoked. Generate another.`);
    }
    const row = { ...(await change(write, before)), version: before.version + 1, updatedAtMs: write.nowMs };
    if (!(await write.transaction.apiKeys.update(row, before.version))) throw changedMeanwhile("ApiKey", name);
    await bindApiKey(write.transaction, row);
    await auditKey(write, action, row, before);
    await reviewHolders(write, [before, row]);
    tellGateways(write, row);
    return nameApiKey(write.transaction, row);
  });
}

/** Tells the gateways of a key, where they may let it in. */
export function tellGateways({ context, messages }: Write, row: ApiKeyRow): void {
  if (mayOpen(context, row)) messages.push({ type: "credential.put", record: credentialRecord(row) });
}

/** Has governance look again at the applications that these keys count for: rules see how long keys last. */
export async function reviewHolders(write: Write, rows: readonly ApiKeyRow[]): Promise<void> {
  const ids = [...new Set(rows.flatMap(({ applicationId }) => applicationId ?? []))];
  if (ids.length === 0) return;
  await write.transaction.compliance.enqueue({ ids }, write.nowMs);
  write.governanceAsked = true;
}

/** The key of that name. Throws `resource.not_found`. */
export async function requireKey(transaction: CatalogTransaction, name: string): Promise<ApiKeyRow> {
  const row = await transaction.apiKeys.find(name);
  if (row === undefined) throw notFound("ApiKey", name);
  return row;
}

/** A new value of a key, and what is stored of it. */
export function newCredential(pepper: NamedKey) {
  const { key, publicId } = makeApiKey();
  return { key, publicId, hash: hashApiKey(pepper.key, key).toString("hex"), pepperId: pepper.id };
}

/** Audits a write to a key. */
export async function auditKey(write: Write, action: AuditAction, row: ApiKeyRow, before?: ApiKeyRow): Promise<void> {
  await audit(
    write,
    action,
    { kind: "ApiKey", id: row.id, name: row.name, teamId: row.teamId },
    {
      version: row.version,
      apiId: row.apiId,
      applicationId: row.applicationId,
      environment: row.environment,
      ...(before && auditChanges(boundsOf(before), boundsOf(row))),
    },
  );
}

/** What bounds a key, as the audit may tell it; no hash. */
function boundsOf({
  hash: _h,
  previous: _p,
  pepperId: _i,
  version: _v,
  updatedAtMs: _u,
  ...bounds
}: ApiKeyRow): object {
  return bounds;
}

/** Keys of applications are as an older product had them: without the setting nobody makes one, whatever the way. */
export function refuseLegacy(
  { legacyApplicationKeys = false }: CoreContext,
  api: ApiKeySpec["api"] | null,
  application: string | null | undefined,
): void {
  if (api !== undefined && api !== null) return;
  if (!legacyApplicationKeys) {
    const message = "name the API; keys of applications are off, and `legacyApplicationKeys: true` turns them on";
    throw invalid([{ path: "spec.api", message }]);
  }
  if (typeof application === "string") return;
  throw invalid([{ path: "spec.application", message: "name the application: a key without an API is bound to one" }]);
}
