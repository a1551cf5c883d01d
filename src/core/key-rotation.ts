import { setImmediate as nextTurn } from "node:timers/promises";
import type { CatalogTransaction } from "./catalog.ts";
import { forgetKeys, noteCurrentKey, usedKeys } from "./check-vault.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { LiveKeyring } from "./keyring.ts";
import { defaultName } from "./resource-changes.ts";
import type { SealedEntry, SealedPlace } from "./sealed-values.ts";
import { bindingOf, openValue, sealedPlaces, sealValue } from "./sealed-values.ts";
import { team } from "./team.ts";
import { audit, inWrite } from "./write.ts";

/** How much of each place each key has sealed. */
export type SealedCounts = Readonly<Record<SealedPlace, Readonly<Record<string, number>>>>;

export interface RotationStep {
  readonly place: SealedPlace;
  /** Values that have been sealed anew since the beginning. */
  readonly done: number;
  /** Values that could not be opened; they stay as they are. */
  readonly unreadable: number;
}

/** What a rotation came to. */
export interface RotationOutcome extends Omit<RotationStep, "place"> {
  /** Keys that seal nothing any more. */
  readonly retired: readonly string[];
}

/** Values in one transaction: few enough that no other writer waits for long. */
const sliceValues = 50;
/** Passes until nothing is left; more than one is needed only where somebody was sealing while the key changed. */
const maxPasses = 5;

/**
 * Seals every value of the catalog with the current key, in small transactions beside the traffic. A value that was done
 * stays done, so what was interrupted, however it was, goes on where it stopped. At the end the keys that seal nothing any
 * more are forgotten: the installation starts without them.
 *
 * Throws what the store throws, and the signal's reason when it is aborted.
 */
export async function rotateVault(
  context: CoreContext,
  keys: LiveKeyring,
  actor: Actor,
  { signal, onStep }: { readonly signal: AbortSignal; onStep(step: RotationStep): void },
): Promise<RotationOutcome> {
  const { id } = keys.current;
  let done = 0;
  let unreadable = 0;
  await context.catalog.transaction((transaction) => noteCurrentKey(transaction, keys));
  for (let pass = 1; pass <= maxPasses; pass += 1) {
    unreadable = 0;
    for (const place of sealedPlaces) {
      let cursor: string | undefined;
      do {
        signal.throwIfAborted();
        const slice = await context.catalog.transaction((transaction) => sealSlice(transaction, keys, place, cursor));
        done += slice.done;
        unreadable += slice.unreadable;
        cursor = slice.next;
        onStep({ place, done, unreadable });
        await nextTurn();
      } while (cursor !== undefined);
    }
    if ((await leftOver(context.catalog.read, id)) === unreadable) break;
  }
  const retired = await retireKeys(context, keys, actor, done);
  return { done, unreadable, retired };
}

/** How many values each key has sealed, by place; counts what is stored now. */
export async function countSealed(transaction: CatalogTransaction, keyIds: readonly string[]): Promise<SealedCounts> {
  const counts = await Promise.all(
    sealedPlaces.map(async (place) => {
      const byKey: Record<string, number> = {};
      for (const id of keyIds) byKey[id] = await transaction.sealedValues.count(place, id);
      return [place, byKey] as const;
    }),
  );
  return Object.fromEntries(counts) as SealedCounts; // the list of places is that of the type
}

/** How many values another key than this one has sealed. */
export async function leftOver(transaction: CatalogTransaction, keyId: string): Promise<number> {
  let left = 0;
  for (const place of sealedPlaces) {
    left += (await transaction.sealedValues.count(place)) - (await transaction.sealedValues.count(place, keyId));
  }
  return left;
}

async function sealSlice(
  { sealedValues }: CatalogTransaction,
  keys: LiveKeyring,
  place: SealedPlace,
  cursor: string | undefined,
): Promise<{ readonly done: number; readonly unreadable: number; readonly next: string | undefined }> {
  const { rows, next } = await sealedValues.notBy(place, keys.current.id, { limit: sliceValues, cursor });
  let done = 0;
  let unreadable = 0;
  for (const entry of rows) {
    const plaintext = tryOpen(keys, entry);
    if (plaintext === undefined) unreadable += 1;
    else if (await sealedValues.replace(entry, sealValue(keys, plaintext, boundTo(entry)))) done += 1;
  }
  return { done, unreadable, next };
}

function tryOpen(keys: LiveKeyring, entry: SealedEntry): string | undefined {
  try {
    return openValue(keys, entry.sealed, boundTo(entry));
  } catch {
    return undefined; // told in the outcome; one damaged value must not keep all others under the old key
  }
}

function boundTo({ place, identity }: SealedEntry): string {
  return bindingOf(place, identity);
}

async function retireKeys(
  context: CoreContext,
  keys: LiveKeyring,
  actor: Actor,
  done: number,
): Promise<readonly string[]> {
  return inWrite(context, actor, async (write) => {
    const { transaction } = write;
    const old = (await usedKeys(transaction)).filter((id) => id !== keys.current.id);
    const counts = await countSealed(transaction, old);
    const retired = old.filter((id) => sealedPlaces.every((place) => counts[place][id] === 0));
    if (retired.length > 0) await forgetKeys(transaction, retired);
    const owner = await transaction.resources.find(team.kind, defaultName);
    const subject = { kind: "EncryptionKey", id: keys.current.id, name: keys.current.id, teamId: owner?.id ?? "" };
    if (done > 0 || retired.length > 0) await audit(write, "encryption.rotated", subject, { values: done, retired });
    return retired;
  });
}
