import { setImmediate as nextTurn } from "node:timers/promises";
import { idPrefixes } from "../kernel/ids.ts";
import { credentialRecord, mayOpen, withoutEnded } from "./api-key-record.ts";
import { buildArtifactSet } from "./artifact-set.ts";
import type { CoreContext } from "./core-context.ts";
import { liveKeyManagers } from "./key-managers.ts";
import { pinRecord, takeSightings } from "./mcp-pins.ts";
import { allHeld } from "./mcp-quarantine.ts";
import { clientRecord } from "./oauth-client-record.ts";
import type { Page, PageRequest } from "./page.ts";
import type { GatewayReport, PlaneMessage } from "./plane-message.ts";
import { answerPurges } from "./purge-answers.ts";
import { liveSubscriptions } from "./subscriptions.ts";
import { forgottenUses } from "./tell-forgotten.ts";

const pageRows = 200;

/** Keys whose use is noted in one transaction: short enough that no other writer waits for long. */
const slice = 500;

/**
 * What a gateway that (re)connects must hear first: the artifacts, then all live credentials and subscriptions, then
 * all about OAuth. Read in one transaction, so nothing is older than a message that was sent before it; send it before any that comes after.
 */
export async function currentMessages(context: CoreContext): Promise<readonly PlaneMessage[]> {
  const nowMs = context.clock.now();
  return context.catalog.transaction(async (transaction) => [
    { type: "mcp-pins", pins: (await transaction.mcpPins.all()).map(pinRecord) }, // before anybody is served
    { type: "mcp-held", held: await allHeld(transaction) },
    { type: "artifacts", set: await buildArtifactSet(transaction) },
    {
      type: "credentials",
      records: (await everyRow((page) => transaction.apiKeys.live(page)))
        .filter((row) => mayOpen(context, row))
        .map((row) => credentialRecord(withoutEnded(row, nowMs))),
      subscriptions: await liveSubscriptions(transaction),
    },
    {
      type: "identity",
      keyManagers: await liveKeyManagers(context, transaction),
      clients: (await everyRow((page) => transaction.oauthClients.list({}, page))).map(clientRecord),
      revocations: await everyRow((page) => transaction.revocations.live(nowMs, page)),
    },
    { type: "uses.forgotten", forgotten: await forgottenUses(transaction) },
    { type: "answers.purged", purges: await answerPurges(transaction) },
  ]);
}

/**
 * Takes in what a gateway reports: how its upstreams are, and when keys and secrets of OAuth clients were used. A
 * gateway whose clock is ahead cannot write the future. Other writers get their turn between slices of 500 keys; when it throws, some may have been
 * noted, and saying them again does no harm.
 */
export async function takeReport(context: CoreContext, report: GatewayReport): Promise<void> {
  const nowMs = context.clock.now();
  if (report.type === "upstreams") {
    context.upstreams?.take(report.node, report.upstreams, nowMs);
    return;
  }
  if (report.type === "mcp.seen") return takeSightings(context, report);
  const used = report.used.map(({ keyId, atMs }) => ({ id: keyId, atMs: Math.min(atMs, nowMs) }));
  for (let from = 0; from < used.length; from += slice) {
    const part = used.slice(from, from + slice);
    const ofSecrets = part.filter(({ id }) => id.startsWith(idPrefixes.oauthClientSecret));
    const ofTokens = part.filter(({ id }) => id.startsWith(idPrefixes.accessToken));
    const ofClients = part.filter(({ id }) => id.startsWith(idPrefixes.oauthClient));
    const others = new Set([...ofSecrets, ...ofTokens, ...ofClients]);
    const ofKeys = part.filter((use) => !others.has(use));
    await context.catalog.transaction(async (transaction) => {
      if (ofKeys.length > 0) await transaction.apiKeys.touch(ofKeys);
      if (ofSecrets.length > 0) await transaction.oauthClients.secrets.touch(ofSecrets);
      if (ofClients.length > 0) await transaction.oauthClients.touch(ofClients);
      if (ofTokens.length > 0) await transaction.accessTokens.touch(ofTokens);
    });
    await nextTurn(); // a revocation that came meanwhile takes the store before the next slice
  }
}

async function everyRow<Row>(list: (page: PageRequest) => Promise<Page<Row>>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit: pageRows, cursor });
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor !== undefined);
  return rows;
}
