import { setImmediate as nextTurn } from "node:timers/promises";
import { credentialRecord } from "./api-key-record.ts";
import { buildArtifactSet } from "./artifact-set.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { CoreContext } from "./core-context.ts";
import type { CredentialRecord, GatewayReport, PlaneMessage } from "./plane-message.ts";
import { liveSubscriptions } from "./subscriptions.ts";

const pageRows = 200;

/** Keys whose use is noted in one transaction: short enough that no other writer waits for long. */
const slice = 500;

/**
 * What a gateway that (re)connects must hear first: the artifacts, then all live credentials and subscriptions. Read in
 * one transaction, so nothing is older than a message that was sent before it; send it before any that comes after.
 */
export async function currentMessages(context: CoreContext): Promise<readonly PlaneMessage[]> {
  return context.catalog.transaction(async (transaction) => [
    { type: "artifacts", set: await buildArtifactSet(transaction) },
    {
      type: "credentials",
      records: await liveCredentials(transaction),
      subscriptions: await liveSubscriptions(transaction),
    },
  ]);
}

/**
 * Takes in what a gateway reports: how its upstreams are, and when keys were used. A gateway whose clock is ahead
 * cannot write the future. Other writers get their turn between slices of 500 keys; when it throws, some may have been
 * noted, and saying them again does no harm.
 */
export async function takeReport(context: CoreContext, report: GatewayReport): Promise<void> {
  const nowMs = context.clock.now();
  if (report.type === "upstreams") {
    context.upstreams?.take(report.node, report.upstreams, nowMs);
    return;
  }
  const used = report.used.map(({ keyId, atMs }) => ({ id: keyId, atMs: Math.min(atMs, nowMs) }));
  for (let from = 0; from < used.length; from += slice) {
    const part = used.slice(from, from + slice);
    await context.catalog.transaction((transaction) => transaction.apiKeys.touch(part));
    await nextTurn(); // a revocation that came meanwhile takes the store before the next slice
  }
}

async function liveCredentials(transaction: CatalogTransaction): Promise<readonly CredentialRecord[]> {
  const records: CredentialRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await transaction.apiKeys.live({ limit: pageRows, cursor });
    for (const row of page.rows) records.push(credentialRecord(row));
    cursor = page.next;
  } while (cursor !== undefined);
  return records;
}
