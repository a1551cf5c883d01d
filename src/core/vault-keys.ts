import type { KeyObject } from "node:crypto";
import { createSecretKey, randomBytes } from "node:crypto";
import { deriveKey, hmacSha256, keyFromHex, seal, unseal } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Catalog } from "./catalog.ts";
import type { Keyring, NamedKey } from "./core-context.ts";

/**
 * The keyring of an encryption key (64 hex digits). The id is made from the key, so a value tells which key opens it.
 */
export function vaultKeyring(encryptionKey: string): Keyring {
  const master = keyFromHex(encryptionKey, "the encryption key");
  const key = deriveKey(master, "gatehouse/vault");
  const id = `vk_${hmacSha256(deriveKey(master, "gatehouse/vault-key-id"), "id").toString("hex").slice(0, 12)}`;
  return { current: { id, key }, find: (wanted) => (wanted === id ? key : undefined) };
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
    const sealed = seal(keys.current.key, keys.current.id, randomBytes(32).toString("hex"), boundTo(id));
    const made = JSON.stringify({ id, sealed });
    await settings.set(pepperSetting, made);
    return made;
  });
  const { id, sealed } = JSON.parse(stored) as { id: string; sealed: Parameters<typeof unseal>[1] }; // written above
  const key = keys.find(sealed.kid);
  if (key === undefined) {
    throw new GatewayError(
      "secret.undecryptable",
      "This data directory was made with another encryption key. Start with that key (GATEHOUSE_ENCRYPTION_KEY or the file encryption.key).",
      { detail: `the pepper is sealed with ${sealed.kid}, the key given is ${keys.current.id}` },
    );
  }
  const pepper = createSecretKey(Buffer.from(unseal(key, sealed, boundTo(id)), "hex"));
  return { id, key: deriveKey(pepper, "gatehouse/api-key") };
}

function boundTo(id: string): string {
  return `setting/${pepperSetting}/${id}`;
}
