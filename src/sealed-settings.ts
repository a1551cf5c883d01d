import { existsSync, readFileSync, statSync } from "node:fs";
import type { Config, Setting } from "./config-schema.ts";
import { settingValue } from "./config-schema.ts";
import { looksSealed, openFromFile } from "./core/file-envelope.ts";
import type { LiveKeyring } from "./core/keyring.ts";
import { configuredKeys } from "./core/keyring.ts";
import { vaultKeyring } from "./core/vault-keys.ts";
import type { FieldIssue } from "./kernel/errors.ts";
import { dataPaths } from "./store/data-directory.ts";

/**
 * The values of secret settings that are written as `${enc:…}`. Each that does not open is an issue under its name. The
 * keys themselves are never sealed.
 */
export function openSealedSettings(
  config: Config,
  settings: readonly Setting[],
): {
  readonly opened: readonly { readonly name: string; readonly value: string }[];
  readonly issues: readonly FieldIssue[];
} {
  const opened: { name: string; value: string }[] = [];
  const issues: FieldIssue[] = [];
  let keys: LiveKeyring | undefined;
  for (const { name, secret } of settings) {
    const text = settingValue(config, name);
    if (!secret || typeof text !== "string" || !looksSealed(text)) continue;
    keys ??= findKeyring(config);
    if (keys === undefined) {
      issues.push({ path: name, message: "it is sealed, and there is no encryption key to open it with" });
      continue;
    }
    const result = openFromFile(keys, text);
    if ("fault" in result) issues.push({ path: name, message: result.fault });
    else opened.push({ name, value: result.value });
  }
  return { opened, issues };
}

/**
 * The keyring that a process with this configuration would have; undefined while there is none. Throws `config.invalid` for
 * one that cannot be read.
 */
export function findKeyring(config: Config): LiveKeyring | undefined {
  const configured = configuredKeys(config);
  if (configured !== undefined) return vaultKeyring(configured);
  const { encryptionKeyPath } = dataPaths(config.dataDir);
  // A file that others can read is refused by the start, with the command that mends it; it is no key until then.
  if (!existsSync(encryptionKeyPath) || isOpenToOthers(encryptionKeyPath)) return undefined;
  return vaultKeyring(readFileSync(encryptionKeyPath, "utf8"));
}

function isOpenToOthers(path: string): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0;
}
