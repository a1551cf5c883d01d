import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { LegacyKeys } from "../core/legacy-envelope.ts";
import { legacySymmetricKey, openLegacyEnvelope } from "../core/legacy-envelope.ts";
import { nameSchema } from "../core/resource.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import { readPrivateFile } from "../store/private-file.ts";
import type { ControlOptions } from "./common-options.ts";
import type { ControlClient } from "./control-client.ts";
import { openControlClient } from "./control-client.ts";
import { secretNames } from "./secrets.ts";
import type { Shell } from "./shell.ts";

export interface ImportLegacyOptions extends ControlOptions {
  readonly keystorePem?: string;
  readonly symmetricKeyFile?: string;
  readonly team?: string;
  readonly dryRun?: boolean;
  readonly replace?: boolean;
}

/**
 * Reads `alias=value` lines as WSO2 API Manager keeps them, opens each value with the old keys and sets a secret of that
 * name. Nothing is written unless every value opens. A secret that is there is left alone without `--replace`.
 */
export async function importLegacy(file: string, options: ImportLegacyOptions, shell: Shell): Promise<void> {
  const keys = await readKeys(options, shell);
  const entries = openAll(await readFile(resolve(shell.cwd, file), "utf8"), file, keys);
  await using control = await openControlClient(options, shell);
  await refuseTaken(control, entries, options);
  for (const { alias, name, value } of entries) {
    if (options.dryRun !== true) {
      const body = { value, ...(options.team !== undefined && { team: options.team }) };
      await control.call("PUT", `/api/v1/secrets/${encodeURIComponent(name)}`, body);
    }
    shell.out(`${options.dryRun === true ? "would set" : "set"} Secret/${name} from ${alias}`);
  }
}

interface LegacyEntry {
  readonly alias: string;
  readonly name: string;
  readonly value: string;
}

async function readKeys(options: ImportLegacyOptions, shell: Shell): Promise<LegacyKeys> {
  const { keystorePem, symmetricKeyFile } = options;
  if (keystorePem === undefined && symmetricKeyFile === undefined) {
    throw new GatewayError(
      "request.invalid",
      "Name the old keys: --keystore-pem FILE, --symmetric-key-file FILE, or both.",
    );
  }
  const pem = keystorePem === undefined ? undefined : await readKeyFile(keystorePem, shell);
  const text = symmetricKeyFile === undefined ? undefined : await readKeyFile(symmetricKeyFile, shell);
  return {
    ...(pem !== undefined && { rsa: await privateKey(pem, keystorePem ?? "", shell) }),
    ...(text !== undefined && { aes: legacySymmetricKey(text) }),
  };
}

async function readKeyFile(path: string, shell: Shell): Promise<string> {
  const text = await readPrivateFile(resolve(shell.cwd, path));
  if (text === undefined) throw new GatewayError("resource.not_found", `There is no file ${path}.`);
  return text;
}

async function privateKey(pem: string, path: string, shell: Shell) {
  const isEncrypted = /ENCRYPTED/.test(pem);
  const passphrase = isEncrypted
    ? (await shell.readSecret(`Passphrase of ${path}: `)).replace(/\r?\n$/, "")
    : undefined;
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) });
  } catch (cause) {
    const hint = isEncrypted ? "Is the passphrase right?" : "Export it with: openssl pkcs12 -in KEYSTORE.p12 -nocerts";
    throw new GatewayError("request.invalid", `${path} holds no private key that can be read. ${hint}`, { cause });
  }
}

function openAll(text: string, file: string, keys: LegacyKeys): readonly LegacyEntry[] {
  const issues: FieldIssue[] = [];
  const entries = text.split(/\r?\n/).flatMap((line, index): LegacyEntry[] => {
    const trimmed = line.trim();
    if (trimmed === "" || /^[#!]/.test(trimmed)) return [];
    const [, alias, value] = /^([^=\s]{1,200})\s*=\s*"?\[?([^"\]]+)\]?"?$/.exec(trimmed) ?? [];
    const place = `${file}:${index + 1}`;
    if (alias === undefined || value === undefined) {
      issues.push({ path: place, message: "write ALIAS=VALUE" });
      return [];
    }
    const name = secretNameOf(alias);
    try {
      if (!nameSchema.safeParse(name).success)
        throw new GatewayError("request.invalid", "no name can be made of this alias");
      return [{ alias, name, value: openLegacyEnvelope(value, keys) }];
    } catch (error) {
      issues.push({ path: `${place} ${alias}`, message: error instanceof GatewayError ? error.message : "unreadable" });
      return [];
    }
  });
  const twice = entries.filter(({ name }, index) => entries.findIndex((other) => other.name === name) !== index);
  for (const { alias, name } of twice)
    issues.push({ path: alias, message: `another alias leads to Secret/${name} too` });
  if (issues.length > 0) {
    const told = issues.map(({ path, message }) => `${path}: ${message}`).join("\n");
    throw new GatewayError("resource.invalid", `Nothing was imported.\n${told}`, { issues });
  }
  return entries;
}

function secretNameOf(alias: string): string {
  return alias
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63);
}

async function refuseTaken(
  control: ControlClient,
  entries: readonly LegacyEntry[],
  { replace = false }: ImportLegacyOptions,
): Promise<void> {
  if (replace) return;
  const known = await secretNames(control);
  const taken = entries.filter(({ name }) => known.has(name)).map(({ name }) => name);
  if (taken.length === 0) return;
  throw new GatewayError(
    "resource.conflict",
    `There are secrets already: ${taken.join(", ")}. --replace gives them these values.`,
  );
}
