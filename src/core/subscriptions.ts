import { GatewayError } from "../kernel/errors.ts";
import type { ApiId, Id } from "../kernel/ids.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { SubscriptionRecord } from "./plane-message.ts";
import type { Resource } from "./resource.ts";
import type { SubscriptionSpec } from "./subscription.ts";
import { subscription } from "./subscription.ts";
import type { Write } from "./write.ts";

/** More than any application has: a bound on the rows, not on the subscriptions. */
const referenceLimit = 1_000_000;

/** Tells the gateways of a written subscription. Throws `resource.conflict` when its application has one to the API. */
export async function subscriptionWritten(write: Write, after: Resource, before: Resource | undefined): Promise<void> {
  const record = await subscriptionRecord(write.transaction, after);
  await refuseSecond(write.transaction, after, record);
  // Removed first: it may lead from another application or to another API than before.
  if (before !== undefined) write.messages.push({ type: "subscription.removed", id: after.id });
  write.messages.push({ type: "subscription.put", record });
}

/** Whether an application has an active subscription to an API. */
export async function isSubscribed(
  transaction: CatalogTransaction,
  applicationId: string,
  api: { readonly kind: string; readonly name: string },
): Promise<boolean> {
  for (const row of await transaction.references.to(applicationId, referenceLimit)) {
    if (row.holderKind !== subscription.kind) continue;
    const found = await transaction.resources.findById(row.holderId);
    if (found === undefined) continue;
    const spec = specOf(found);
    if (spec.api.kind === api.kind && spec.api.name === api.name) return spec.state === "active";
  }
  return false;
}

/** Every subscription, as a gateway needs it: one that is not active closes the API, so it is told as well. */
export async function liveSubscriptions(transaction: CatalogTransaction): Promise<readonly SubscriptionRecord[]> {
  const records: SubscriptionRecord[] = [];
  const ids = new Map<string, Promise<string>>();
  for (const resource of await transaction.resources.all(subscription.kind)) {
    records.push(await subscriptionRecord(transaction, resource, ids));
  }
  return records;
}

async function subscriptionRecord(
  transaction: CatalogTransaction,
  resource: Resource,
  ids = new Map<string, Promise<string>>(),
): Promise<SubscriptionRecord> {
  const spec = specOf(resource);
  const idOf = (kind: string, name: string): Promise<string> => {
    const known = ids.get(`${kind}/${name}`) ?? requireId(transaction, kind, name, resource.name);
    ids.set(`${kind}/${name}`, known);
    return known;
  };
  return {
    id: resource.id as Id<"subscription">, // the resource is of that kind
    applicationId: (await idOf("Application", spec.application)) as Id<"application">, // found by kind
    apiId: (await idOf(spec.api.kind, spec.api.name)) as ApiId, // found by kind
    planId: (await idOf("Plan", spec.plan)) as Id<"plan">, // found by kind
    state: spec.state === "suspended" ? "on-hold" : spec.state,
  };
}

async function requireId(transaction: CatalogTransaction, kind: string, name: string, holder: string): Promise<string> {
  const resource = await transaction.resources.find(kind, name);
  if (resource !== undefined) return resource.id;
  throw new GatewayError("internal", "The catalog is not consistent.", {
    detail: `Subscription/${holder} refers to ${kind}/${name}, which is not there`,
  });
}

async function refuseSecond(
  transaction: CatalogTransaction,
  resource: Resource,
  record: SubscriptionRecord,
): Promise<void> {
  for (const row of await transaction.references.to(record.applicationId, referenceLimit)) {
    if (row.holderKind !== subscription.kind || row.holderId === resource.id) continue;
    const other = await transaction.resources.findById(row.holderId);
    if (other === undefined) continue;
    const { api, application } = specOf(other);
    const own = specOf(resource).api;
    if (api.kind !== own.kind || api.name !== own.name) continue;
    throw new GatewayError(
      "resource.conflict",
      `Application ${application} is subscribed to ${api.kind}/${api.name} already, by Subscription/${other.name}.`,
      { issues: [{ path: "spec.api", message: `taken by Subscription/${other.name}` }] },
    );
  }
}

function specOf(resource: Resource): SubscriptionSpec {
  return subscription.spec.parse(resource.spec);
}
