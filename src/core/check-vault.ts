import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Catalog, CatalogTransaction } from "./catalog.ts";
import type { LiveKeyring } from "./keyring.ts";
import { openValue, sealedPlaces, sealValue } from "./sealed-values.ts";
import { otherKey } from "./vault-keys.ts";

/** A key that may have sealed something here, with a value that only it opens. */
export type UsedKey = z.output<typeof usedKeySchema>;

const setting = "vault-keys";
const usedKeySchema = z.strictObject({
  id: z.string(),
  canary: z.strictObject({ v: z.literal(1), kid: z.string(), nonce: z.string(), data: z.string() }),
});

/**
 * Tries every key of the keyring, and sees that this catalog's keys are among them: each key that has sealed something
 * here has left a canary, so a missing one, and another one under the same id, is found before anything is served. Notes
 * the current key before its first use.
 *
 * Throws `secret.undecryptable` that names the ids, and `internal` when a key does not open what it has sealed.
 */
export async function checkVault(catalog: Catalog, keys: LiveKeyring): Promise<void> {
  tryKeys(keys);
  await catalog.transaction(async (transaction) => {
    const used = (await readUsedKeys(transaction)) ?? (await findUsedKeys(transaction, keys));
    const missing = used.filter(({ id }) => keys.find(id) === undefined).map(({ id }) => id);
    if (missing.length > 0) throw otherKey(missing, keys.ids);
    for (const { id, canary } of used) tryCanary(keys, id, canary);
    await noteKey(transaction, keys, used);
  });
}

/** Notes the current key among those that may have sealed something. Call it before the key seals. */
export async function noteCurrentKey(transaction: CatalogTransaction, keys: LiveKeyring): Promise<void> {
  await noteKey(transaction, keys, (await readUsedKeys(transaction)) ?? []);
}

/** The keys that may have sealed something here. */
export async function usedKeys(transaction: CatalogTransaction): Promise<readonly string[]> {
  return ((await readUsedKeys(transaction)) ?? []).map(({ id }) => id);
}

/** Forgets keys that seal nothing any more: from then on the installation starts without them. */
export async function forgetKeys(transaction: CatalogTransaction, ids: readonly string[]): Promise<void> {
  const used = (await readUsedKeys(transaction)) ?? [];
  await writeUsedKeys(
    transaction,
    used.filter(({ id }) => !ids.includes(id)),
  );
}

async function noteKey(transaction: CatalogTransaction, keys: LiveKeyring, used: readonly UsedKey[]): Promise<void> {
  const { id } = keys.current;
  const all = used.some((each) => each.id === id) ? used : [...used, { id, canary: makeCanary(keys, id) }];
  await writeUsedKeys(transaction, all);
}

async function readUsedKeys({ settings }: CatalogTransaction): Promise<readonly UsedKey[] | undefined> {
  const stored = await settings.get(setting);
  return stored === undefined ? undefined : z.array(usedKeySchema).parse(parseJson(stored));
}

async function writeUsedKeys({ settings }: CatalogTransaction, used: readonly UsedKey[]): Promise<void> {
  const value = JSON.stringify(used);
  if ((await settings.get(setting)) !== value) await settings.set(setting, value);
}

// For a catalog that was made before keys were noted: once, by looking at everything.
async function findUsedKeys(transaction: CatalogTransaction, keys: LiveKeyring): Promise<readonly UsedKey[]> {
  const ids = new Set<string>();
  for (const place of sealedPlaces) {
    let cursor: string | undefined;
    do {
      const page = await transaction.sealedValues.notBy(place, keys.current.id, { limit: 200, cursor });
      for (const { sealed } of page.rows) ids.add(sealed.kid);
      cursor = page.next;
    } while (cursor !== undefined);
  }
  const missing = [...ids].filter((id) => keys.find(id) === undefined);
  if (missing.length > 0) throw otherKey(missing, keys.ids);
  return [...ids].map((id) => ({ id, canary: makeCanary(keys, id) }));
}

function makeCanary(keys: LiveKeyring, id: string): UsedKey["canary"] {
  const key = keys.find(id);
  if (key === undefined) throw otherKey([id], keys.ids);
  return sealValue({ current: { id, key }, find: keys.find }, canaryText, boundTo(id));
}

const canaryText = "This value opens with its own key only.";

function tryCanary(keys: LiveKeyring, id: string, canary: UsedKey["canary"]): void {
  try {
    if (openValue(keys, canary, boundTo(id)) === canaryText) return;
  } catch (cause) {
    throw new GatewayError(
      "secret.undecryptable",
      `The encryption key ${id} that was given is not the ${id} that this data directory was made with. Give the right one, or another id to this one.`,
      { cause },
    );
  }
}

function tryKeys(keys: LiveKeyring): void {
  for (const id of keys.ids) {
    if (openValue(keys, makeCanary(keys, id), boundTo(id)) === canaryText) continue;
    throw new GatewayError("internal", `The encryption key ${id} does not open what it has sealed.`);
  }
}

function boundTo(id: string): string {
  return `vault-key/${id}`;
}
