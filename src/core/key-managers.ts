import type { Id } from "../kernel/ids.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { CoreContext } from "./core-context.ts";
import type { KeyManagerSpec } from "./key-manager.ts";
import { keyManager } from "./key-manager.ts";
import { invalid } from "./parse-document.ts";
import type { KeyManagerRecord } from "./plane-message.ts";
import type { Resource } from "./resource.ts";
import type { Write } from "./write.ts";

/**
 * Checks a written key manager by its plug-in's own schema and tells the gateways of it. Throws `resource.invalid`, also
 * for another key manager with the same issuer: a token's issuer must lead to one.
 */
export async function keyManagerWritten(write: Write, after: Resource): Promise<void> {
  const { context, transaction } = write;
  const spec = specOf(after);
  const issues = context.keyManagers?.issues(spec.use, spec.with) ?? [];
  if (issues.length > 0) throw invalid(issues);
  await refusePlainHttp(context, after, spec);
  const record = await keyManagerRecord(context, transaction, after);
  if (spec.enabled) await refuseSameIssuer(context, transaction, record);
  write.messages.push({ type: "key-manager.put", record });
}

/** Every key manager, as a gateway needs it. */
export async function liveKeyManagers(
  context: CoreContext,
  transaction: CatalogTransaction,
): Promise<readonly KeyManagerRecord[]> {
  const resources = await transaction.resources.all(keyManager.kind);
  return Promise.all(resources.map((resource) => keyManagerRecord(context, transaction, resource)));
}

/** What gateways are told of a stored key manager; of the resident one with the keys that it publishes now. */
export async function keyManagerRecord(
  context: CoreContext,
  transaction: CatalogTransaction,
  resource: Resource,
): Promise<KeyManagerRecord> {
  const { use, with: config, enabled } = specOf(resource);
  const record = { id: resource.id as Id<"keyManager">, name: resource.name, use, with: config, enabled }; // of that kind
  const issuer = use === "resident" ? context.residentIssuer?.() : undefined;
  if (issuer === undefined) return record;
  const keys = (await transaction.signingKeys.all()).map(({ publicJwk }) => publicJwk);
  return { ...record, residentKeys: { issuer, jwks: { keys } } };
}

/** Keys and secrets that come or go over plain http are those of whoever stands in between. */
async function refusePlainHttp(context: CoreContext, { id, name }: Resource, spec: KeyManagerSpec): Promise<void> {
  const { keyManagers, plainHttp } = context;
  if (keyManagers === undefined || plainHttp === undefined) return;
  const { use, with: config, enabled } = spec;
  await using connector = keyManagers.open({ id: id as Id<"keyManager">, name, use, with: config, enabled }); // of that kind
  const refused = connector.reaches.find((url) => {
    const { protocol, hostname } = new URL(url);
    return protocol === "http:" && !plainHttp(hostname);
  });
  if (refused === undefined) return;
  const begins = (value: unknown): value is string => typeof value === "string" && refused.startsWith(value);
  const members = Object.entries(config).filter(([, value]) => begins(value));
  const [member] = members.toSorted(([, one], [, other]) => String(other).length - String(one).length);
  throw invalid([
    {
      path: member === undefined ? "spec.with" : `spec.with.${member[0]}`,
      message: `${refused} is not https; in production plain http is for addresses that network.allowCidrs has`,
    },
  ]);
}

async function refuseSameIssuer(
  context: CoreContext,
  transaction: CatalogTransaction,
  record: KeyManagerRecord,
): Promise<void> {
  const issuers = await issuersOf(context, record);
  for (const other of await transaction.resources.all(keyManager.kind)) {
    if (other.id === record.id || !specOf(other).enabled) continue;
    const theirs = await issuersOf(context, await keyManagerRecord(context, transaction, other));
    const shared = theirs.find((issuer) => issuers.includes(issuer));
    if (shared === undefined) continue;
    throw invalid([{ path: "spec.with", message: `KeyManager/${other.name} has the issuer ${shared} already` }]);
  }
}

async function issuersOf({ keyManagers }: CoreContext, record: KeyManagerRecord): Promise<readonly string[]> {
  if (keyManagers === undefined || keyManagers.issues(record.use, record.with).length > 0) return [];
  await using connector = keyManagers.open(record);
  return connector.issuers;
}

function specOf(resource: Resource): KeyManagerSpec {
  return keyManager.spec.parse(resource.spec);
}
