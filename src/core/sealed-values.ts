import type { SealedValue } from "../kernel/crypto.ts";
import { seal, unseal } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Keyring } from "./core-context.ts";
import type { Page, PageRequest } from "./page.ts";

/** Seals with the current key of the keyring; `boundTo` is the value's place, and it opens nowhere else. */
export function sealValue(keys: Keyring, plaintext: string, boundTo: string): SealedValue {
  const { id, key } = keys.current;
  return seal(key, id, plaintext, boundTo);
}

/** Opens with whichever key of the keyring has sealed it. Throws `secret.undecryptable`. */
export function openValue(keys: Keyring, sealed: SealedValue, boundTo: string): string {
  const key = keys.find(sealed.kid);
  if (key !== undefined) return unseal(key, sealed, boundTo);
  throw new GatewayError("secret.undecryptable", "A secret cannot be decrypted.", {
    detail: `${boundTo} was sealed with key ${sealed.kid}, which is not in the keyring`,
  });
}

/**
 * Every place of the catalog where sealed values stand. What is sealed elsewhere would be lost with the old key at the
 * next rotation: a test looks through the whole database for it.
 */
export const sealedPlaces = [
  "secret",
  "inline",
  "signing-key",
  "oauth-state",
  "upstream-credential",
  "upstream-client",
  "setting",
] as const;

export type SealedPlace = (typeof sealedPlaces)[number];

/** The settings that hold `{id, sealed}`. */
export const sealedSettings = ["api-key-pepper"] as const;

/**
 * A sealed value where it is stored. `identity` names the row: `[id]` of a secret and a signing key; `[holder, path, id]`
 * of an inline value; `[id]` of an upstream credential and an upstream client; `[model, id hash]` of OAuth state; `[name, id]` of a setting.
 */
export interface SealedEntry {
  readonly place: SealedPlace;
  readonly identity: readonly string[];
  readonly sealed: SealedValue;
}

/** The sealed values of the whole catalog, for those who change the key. */
export interface SealedTable {
  /** How many values stand in a place; with a key's id, how many that key has sealed. */
  count(place: SealedPlace, keyId?: string): Promise<number>;
  /** The values of a place that another key than `keyId` has sealed, in an order that does not change. */
  notBy(place: SealedPlace, keyId: string, page: PageRequest): Promise<Page<SealedEntry>>;
  /** Puts `sealed` in the place of the entry's value; false when that has been changed meanwhile. */
  replace(entry: SealedEntry, sealed: SealedValue): Promise<boolean>;
}

/** What the value in that place is bound to. */
export function bindingOf(place: SealedPlace, identity: readonly string[]): string {
  const prefix = {
    secret: "secret",
    inline: "field",
    "signing-key": "signing-key",
    "oauth-state": "oauth-state",
    "upstream-credential": "upstream-credential",
    "upstream-client": "upstream-client",
    setting: "setting",
  };
  return [prefix[place], ...identity].join("/");
}
