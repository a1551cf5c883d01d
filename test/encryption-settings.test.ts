import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";
import { sealForFile } from "../src/core/file-envelope.ts";
import { configuredKeys, keyIdOf } from "../src/core/keyring.ts";
import { vaultKeyring } from "../src/core/vault-keys.ts";
import { openDataDirectory } from "../src/store/data-directory.ts";

const one = "11".repeat(32);
const two = "22".repeat(32);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-encryption-settings-"));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const load = (env: Record<string, string>) => loadConfig({ env, cwd: directory });
const idsOf = (env: Record<string, string>): readonly string[] => vaultKeyring(configuredKeys(load(env)) ?? "").ids;

describe("encryption keys in the configuration", () => {
  test("are a list with commas in the variable, the current one first", () => {
    expect(idsOf({ GATEHOUSE_ENCRYPTION_KEYS: `next:${two}, ${one}` })).toEqual(["next", keyIdOf(one)]);
    expect(idsOf({ GATEHOUSE_ENCRYPTION_KEY: one })).toEqual([keyIdOf(one)]);
  });

  test("are text or `{id, key}` in the file", async () => {
    await writeFile(
      join(directory, "gatehouse.yaml"),
      `encryptionKeys:\n  - { id: next, key: "${two}" }\n  - "${one}"\n`,
    );
    expect(idsOf({})).toEqual(["next", keyIdOf(one)]);
  });

  test.each([
    { name: "both settings", env: { GATEHOUSE_ENCRYPTION_KEY: one, GATEHOUSE_ENCRYPTION_KEYS: two } },
    { name: "a key that is too short", env: { GATEHOUSE_ENCRYPTION_KEYS: one.slice(1) } },
    { name: "an id that begins with a hyphen", env: { GATEHOUSE_ENCRYPTION_KEYS: `-x:${one}` } },
    { name: "eleven of them", env: { GATEHOUSE_ENCRYPTION_KEYS: Array.from({ length: 11 }, () => one).join(",") } },
  ])("$name are refused without being repeated", ({ env }) => {
    const refusal = (): unknown => load(env);
    expect(refusal).toThrow(expect.objectContaining({ code: "config.invalid" }));
    expect(refusal).not.toThrow(/1{30}|2{30}/);
  });
});

describe("a sealed setting", () => {
  const sealed = sealForFile(vaultKeyring(one), "printable-token");

  test("opens with a key of the configuration, or of the data directory's file", async () => {
    const env = { GATEHOUSE_ADMIN_TOKEN: sealed, GATEHOUSE_DATA_DIR: directory };
    expect(load({ ...env, GATEHOUSE_ENCRYPTION_KEYS: `${two},${one}` }).adminToken).toBe("printable-token");
    await writeFile(join(directory, "encryption.key"), `${two}\n${one}\n`, { mode: 0o600 });
    expect(load(env).adminToken).toBe("printable-token");
  });

  test.each([
    { name: "there is none", mode: undefined },
    { name: "its file can be read by others", mode: 0o644 },
  ])("is refused while the key is not to be had: $name", async ({ mode }) => {
    const path = join(directory, "encryption.key");
    if (mode !== undefined) await writeFile(path, one).then(() => chmod(path, mode));
    const env = { GATEHOUSE_ADMIN_TOKEN: sealed, GATEHOUSE_DATA_DIR: directory };
    expect(() => load(env)).toThrow(/adminToken.*no encryption key|GATEHOUSE_ADMIN_TOKEN.*no encryption key/);
  });

  test("in production a token that is too short is found when it is open", () => {
    const short = sealForFile(vaultKeyring(one), "short");
    const env = { GATEHOUSE_ENV: "production", GATEHOUSE_ENCRYPTION_KEY: one, GATEHOUSE_ADMIN_TOKEN: short };
    expect(() => load(env)).toThrow(/production asks for/);
  });
});

test("the key file may hold several keys with one a line, and is replaced whole", async () => {
  await using data = await openDataDirectory(join(directory, "data"));
  await data.writeEncryptionKeys(`next:${two}\n${one}\n`);
  const { value, source } = await data.encryptionKey({ configured: undefined, production: true });
  expect(source).toBe("file");
  expect(vaultKeyring(value).ids).toEqual(["next", keyIdOf(one)]);
});
