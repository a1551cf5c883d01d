import { rm } from "node:fs/promises";
import { revokeApiKey } from "../core/api-keys.ts";
import type { ApiKeyRow } from "../core/catalog.ts";
import type { CoreContext } from "../core/core-context.ts";
import { findKind } from "../core/kinds.ts";
import { deleteOauthClient } from "../core/oauth-clients.ts";
import { undeployApi } from "../core/publishing.ts";
import { quickstartActor, quickstartApis } from "./quickstart-catalog.ts";
import { quickstartApplication } from "./quickstart-client.ts";

export interface RetireQuickstartOptions {
  readonly context: CoreContext;
  readonly quickstartPath: string;
  /** Told of each thing that was taken away, and how to have it back. */
  readonly progress: (line: string) => void;
}

/**
 * Takes away what a quickstart has left in a data directory that goes into production: the file with its keys and the
 * admin token, the keys that it made, and the APIs that still are as it published them. What an admin has published or
 * generated since stays. Call it before anything is served.
 */
export async function retireQuickstart({ context, quickstartPath, progress }: RetireQuickstartOptions): Promise<void> {
  await rm(quickstartPath, { force: true });
  await retireApis(context, progress);
  await retireKeys(context, progress);
  await retireClients(context, progress);
}

async function retireApis(context: CoreContext, progress: RetireQuickstartOptions["progress"]): Promise<void> {
  const { deployments, revisions } = context.catalog.read;
  for (const { resourceId, kind: kindName, name, revision } of await deployments.all()) {
    const row = await revisions.find(resourceId, revision);
    const kind = findKind(kindName);
    if (row?.createdBy !== quickstartActor.id || kind === undefined) continue;
    await undeployApi(context, quickstartActor, kind, name);
    const back = `POST /api/v1/${kind.path}/${name}/publish`;
    progress(`took down ${kindName}/${name}, which the quickstart had put up; ${back} serves it again`);
  }
}

async function retireKeys(context: CoreContext, progress: RetireQuickstartOptions["progress"]): Promise<void> {
  for (const { kind, name: apiName } of quickstartApis) {
    const api = await context.catalog.read.resources.find(kind, apiName);
    for (const { id, name, revokedAtMs } of api === undefined ? [] : await keysOf(context, api.id)) {
      if (revokedAtMs !== null || !(await madeByQuickstart(context, id))) continue;
      await revokeApiKey(context, quickstartActor, name);
      progress(`revoked ApiKey/${name}, which the quickstart had made; generate another where it was in use`);
    }
  }
}

async function retireClients(context: CoreContext, progress: RetireQuickstartOptions["progress"]): Promise<void> {
  const owner = await context.catalog.read.resources.find("Application", quickstartApplication);
  if (owner === undefined) return;
  const { rows } = await context.catalog.read.oauthClients.list({ applicationId: owner.id }, { limit: 200 });
  for (const { id, clientId, name, version } of rows) {
    if (!(await madeByQuickstart(context, id))) continue;
    await deleteOauthClient(context, quickstartActor, { application: quickstartApplication, clientId }, version);
    progress(`deleted the OAuth client ${name}, which the quickstart had made`);
  }
}

async function keysOf({ catalog }: CoreContext, apiId: string): Promise<readonly ApiKeyRow[]> {
  const keys: ApiKeyRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await catalog.read.apiKeys.list({ apiId }, { limit: 200, cursor });
    keys.push(...page.rows);
    cursor = page.next;
  } while (cursor !== undefined);
  return keys;
}

async function madeByQuickstart({ catalog }: CoreContext, resourceId: string): Promise<boolean> {
  const [generated] = (await catalog.read.audit.list({ resourceId }, { limit: 1 })).rows;
  return generated?.actor === quickstartActor.id;
}
