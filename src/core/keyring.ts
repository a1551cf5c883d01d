import type { KeyObject } from "node:crypto";
import { deriveKey, hmacSha256, keyFromHex } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Keyring, NamedKey } from "./core-context.ts";

/** An encryption key as people write it: 64 hex digits, and an id where they have given it one. */
export interface KeyEntry {
  readonly id?: string | undefined;
  readonly key: string;
}

/** A keyring whose keys can be changed while it is in use. */
export interface LiveKeyring extends Keyring {
  /** The ids of all keys, the current one first. */
  readonly ids: readonly string[];
  readonly entries: readonly KeyEntry[];
  /** From now on these are the keys; the first seals. Whoever holds the keyring sees them at once. */
  replace(entries: readonly KeyEntry[]): void;
}

/** Keys in one keyring; more are a mistake. */
export const maxKeys = 10;

/** What an id may be made of. `vk_` begins those that are made from the key itself. */
export const keyIdPattern = /^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/;

/**
 * A keyring of encryption keys, the first of which seals. A key without an id gets one that is made from the key, so a
 * sealed value tells which key opens it; a named key answers to both. Throws `config.invalid` for no key, too many, and two
 * of one id.
 */
export function createKeyring(entries: readonly KeyEntry[]): LiveKeyring {
  let held = holdKeys(entries);
  return {
    get current() {
      return held.current;
    },
    get ids() {
      return held.ids;
    },
    get entries() {
      return held.entries;
    },
    find: (id) => held.byId.get(id),
    replace(next) {
      held = holdKeys(next);
    },
  };
}

/**
 * Keys out of text: one a line, `HEX` or `ID:HEX`, the current one first. Throws `config.invalid`, without the text, that
 * names the source.
 */
export function parseKeyring(text: string, source: string): readonly KeyEntry[] {
  const lines = text
    .split(/[\r\n,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.map((line) => {
    const [, id, key] = /^(?:([^:]*):)?([0-9a-fA-F]{64})$/.exec(line) ?? [];
    if (key === undefined || (id !== undefined && !keyIdPattern.test(id))) {
      throw new GatewayError(
        "config.invalid",
        `${source} does not hold encryption keys: 64 hex digits each, one a line, ID:HEX for one with a name.`,
      );
    }
    return { id, key };
  });
}

/** The text that `parseKeyring` reads. */
export function printKeyring(entries: readonly KeyEntry[]): string {
  return `${entries.map(({ id, key }) => (id === undefined ? key : `${id}:${key}`)).join("\n")}\n`;
}

/** The keys of a configuration as text that `parseKeyring` reads; undefined when it has none. */
export function configuredKeys(config: {
  readonly encryptionKey?: string | undefined;
  readonly encryptionKeys?: readonly (string | KeyEntry)[] | undefined;
}): string | undefined {
  const listed = config.encryptionKeys?.map((entry) => (typeof entry === "string" ? entry : printKeyring([entry])));
  return listed?.join("\n") ?? config.encryptionKey;
}

/** The id that is made from a key, whatever name it may have. */
export function keyIdOf(key: string): string {
  const master = keyFromHex(key, "the encryption key");
  return `vk_${hmacSha256(deriveKey(master, "gatehouse/vault-key-id"), "id").toString("hex").slice(0, 12)}`;
}

interface HeldKeys {
  readonly current: NamedKey;
  readonly ids: readonly string[];
  readonly entries: readonly KeyEntry[];
  readonly byId: ReadonlyMap<string, KeyObject>;
}

function holdKeys(entries: readonly KeyEntry[]): HeldKeys {
  const [first] = entries;
  if (first === undefined) throw new GatewayError("config.invalid", "There is no encryption key.");
  if (entries.length > maxKeys) {
    throw new GatewayError(
      "config.invalid",
      `There are ${entries.length} encryption keys; at most ${maxKeys} are taken.`,
    );
  }
  const byId = new Map<string, KeyObject>();
  const ids: string[] = [];
  for (const entry of entries) {
    const made = keyIdOf(entry.key);
    const id = entry.id ?? made;
    if (byId.has(made) || byId.has(id)) {
      throw new GatewayError(
        "config.invalid",
        `The encryption key ${id} is there twice, or shares its id with another.`,
      );
    }
    const key = deriveKey(keyFromHex(entry.key, "the encryption key"), "gatehouse/vault");
    byId.set(made, key).set(id, key);
    ids.push(id);
  }
  const id = ids[0] ?? "";
  return {
    current: { id, key: deriveKey(keyFromHex(first.key, "the encryption key"), "gatehouse/vault") },
    ids,
    entries,
    byId,
  };
}
