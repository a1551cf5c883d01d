import { hashApiKey, parseApiKey } from "../core/api-key-format.ts";
import { generateApiKey } from "../core/api-keys.ts";
import type { ApiKeyRow } from "../core/catalog.ts";
import type { Actor, CoreContext } from "../core/core-context.ts";
import type { Resource } from "../core/resource.ts";

/**
 * A key that opens the API: `known` when it still does, else a new one, which nobody else has seen. A key is of no use
 * any more when it was revoked, has expired, is for another API (one made again under the old name), or was hashed
 * under another pepper.
 */
export async function quickstartKey(
  context: CoreContext,
  actor: Actor,
  api: Resource,
  known: string | undefined,
): Promise<string> {
  if (known !== undefined && (await opens(context, api, known))) return known;
  const spec = { displayName: "Quickstart", api: { kind: api.kind, name: api.name }, environment: "production" };
  const { key } = await generateApiKey(context, actor, { spec });
  return key;
}

async function opens(context: CoreContext, api: Resource, key: string): Promise<boolean> {
  const publicId = parseApiKey(key);
  const row = publicId === undefined ? undefined : await findKey(context, api, publicId);
  if (row === undefined || row.revokedAtMs !== null || row.pepperId !== context.pepper.id) return false;
  if (row.expiresAtMs !== null && row.expiresAtMs <= context.clock.now()) return false;
  return hashApiKey(context.pepper.key, key).toString("hex") === row.hash;
}

async function findKey(context: CoreContext, api: Resource, publicId: string): Promise<ApiKeyRow | undefined> {
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const page: { readonly limit: number; readonly cursor?: string } =
      cursor === "" ? { limit: 200 } : { limit: 200, cursor };
    const { rows, next } = await context.catalog.read.apiKeys.list({ apiId: api.id }, page);
    const found = rows.find((row) => row.publicId === publicId);
    if (found !== undefined) return found;
    cursor = next;
  }
  return undefined;
}
