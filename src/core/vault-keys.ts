import type { KeyObject } from "node:crypto";
import { createSecretKey, randomBytes } from "node:crypto";
import type { SealedValue } from "../kernel/crypto.ts";
import { deriveKey } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Catalog } from "./catalog.ts";
import type { Keyring, NamedKey } from "./core-context.ts";
import type { LiveKeyring } from "./keyring.ts";
import { createKeyring, parseKeyring } from "./keyring.ts";
import { bindingOf, openValue, sealValue } from "./sealed-values.ts";

/** The keyring of one or more encryption keys as text; see `parseKeyring`. */
export function vaultKeyring(text: string): LiveKeyring {
  return createKeyring(parseKeyring(text, "The encryption key"));
}

/** The key that seals MCP session ids, of the installation's pepper: every gateway has it, and it stays for its life. */
export function mcpSessionKey(pepper: NamedKey): KeyObject {
  return deriveKey(pepper.key, "gatehouse/mcp-session");
}

const pepperSetting = "api-key-pepper";

/**
 * The key that hashes API keys: 32 random bytes, made at the first start and kept in the catalog, sealed by the vault.
 * It has its own id and outlives the encryption key. Throws `secret.undecryptable` when the encryption key is not the
 * one that sealed it: starting with another would make every API key unknown.
 */
export async function loadPepper(catalog: Catalog, keys: Keyring): Promise<NamedKey> {
  const stored = await catalog.transaction(async ({ settings }) => {
    const found = await settings.get(pepperSetting);
    if (found !== undefined) return found;
    const id = `pep_${randomBytes(6).toString("hex")}`;
    const sealed = sealValue(keys, randomBytes(32).toString("hex"), boundTo(id));
    const made = JSON.stringify({ id, sealed });
    await settings.set(pepperSetting, made);
    return made;
  });
  const { id, sealed } = parseJson(stored) as { id: string; sealed: SealedValue }; // written above
  if (keys.find(sealed.kid) === undefined) throw otherKey([sealed.kid], [keys.current.id]);
  const pepper = createSecretKey(Buffer.from(openValue(keys, sealed, boundTo(id)), "hex"));
  return { id, key: deriveKey(pepper, "gatehouse/api-key") };
}

/** The error of a process whose encryption key is not the installation's; names both. */
export function otherKey(needed: readonly string[], given: readonly string[]): GatewayError {
  return new GatewayError(
    "secret.undecryptable",
    `This data directory was made with another encryption key: it needs ${needed.join(", ")}, and what was given is ${given.join(", ")}. ` +
      "Start with that key (GATEHOUSE_ENCRYPTION_KEY or the file encryption.key), or with both (GATEHOUSE_ENCRYPTION_KEYS).",
    { detail: `sealed with ${needed.join(", ")}; the keyring holds ${given.join(", ")}` },
  );
}

function boundTo(id: string): string {
  return bindingOf("setting", [pepperSetting, id]);
}
