import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureDefaults } from "../../src/core/bootstrap.ts";
import { checkVault } from "../../src/core/check-vault.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import type { KeyFile } from "../../src/core/encryption.ts";
import { createEncryption } from "../../src/core/encryption.ts";
import { keyIdOf } from "../../src/core/keyring.ts";
import { putSecret, readSecret } from "../../src/core/secrets.ts";
import { loadPepper, vaultKeyring } from "../../src/core/vault-keys.ts";
import { openDataDirectory } from "../../src/store/data-directory.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import { eventually } from "../kit/eventually.ts";
import { admin, coreFixture } from "./core-fixture.ts";

/** Moments at which the process may be killed, in their order. */
const moments = [
  "before the new key is in the file",
  "after the new key is in the file, before the catalog knows it",
  "before the old key is kept for backups",
  "after the old key is kept for backups",
  "before the old key is out of the file",
  "after the old key is out of the file",
] as const;

let live: string;
let copies: string;

beforeEach(async () => {
  live = await mkdtemp(join(tmpdir(), "gatehouse-crash-"));
  copies = await mkdtemp(join(tmpdir(), "gatehouse-crash-copies-"));
});

afterEach(async () => {
  await rm(live, { recursive: true, force: true });
  await rm(copies, { recursive: true, force: true });
});

test("a rotation that is killed at any of its steps leaves a directory that starts and opens everything", async () => {
  const { old } = await rotateAndCopy();
  for (const moment of moments) {
    const { keys, value } = await restart(join(copies, moment));
    expect([moment, value]).toEqual([moment, "kept"]);
    const isDropped = !keys.includes(keyIdOf(old));
    expect([moment, isDropped]).toEqual([moment, moment === "after the old key is out of the file"]);
  }
  const last = join(copies, "after the old key is out of the file");
  expect((await readFile(join(last, "encryption.key.dropped"), "utf8")).trim()).toBe(old);
  // Who goes on from a kill between the two files keeps each dropped key once.
  await using data = await openDataDirectory(join(copies, "after the old key is kept for backups"));
  await data.keepDroppedKeys(old);
  expect((await readFile(data.droppedKeysPath, "utf8")).trim()).toBe(old);
});

/** One rotation to its end; at each moment the directory is copied as a kill would leave it. */
async function rotateAndCopy(): Promise<{ readonly old: string }> {
  await using data = await openDataDirectory(live);
  const { value: old } = await data.encryptionKey({ configured: undefined, production: false });
  await using opened = await openContext(data.catalogPath, old);
  const { context } = opened;
  await ensureDefaults(context);
  await putSecret(context, admin, { name: "kept", value: "kept" });
  const copy = (moment: (typeof moments)[number]) => cp(live, join(copies, moment), { recursive: true });
  let writes = 0;
  const keyFile: KeyFile = {
    async write(text) {
      writes += 1;
      await copy(writes === 1 ? moments[0] : moments[4]);
      await data.writeEncryptionKeys(text);
      await copy(writes === 1 ? moments[1] : moments[5]);
    },
    async keepDropped(text) {
      await copy(moments[2]);
      await data.keepDroppedKeys(text);
      await copy(moments[3]);
    },
  };
  await using encryption = createEncryption(() => context, opened.keys, keyFile);
  await encryption.rotate(admin, { newKey: true, dropOld: true });
  await eventually("the end", async () => (await encryption.status()).rotation.state === "done");
  return { old: old.trim() };
}

/** What a start finds there: the keys of the file, tried as every start tries them, and the secret. */
async function restart(directory: string): Promise<{ readonly keys: readonly string[]; readonly value: string }> {
  await using data = await openDataDirectory(directory);
  const { value } = await data.encryptionKey({ configured: undefined, production: false });
  await using opened = await openContext(data.catalogPath, value);
  return { keys: opened.keys.ids, value: await readSecret(opened.context, "kept") };
}

async function openContext(path: string, keyText: string) {
  const owned = new AsyncDisposableStack();
  const catalog = owned.use(await openSqliteCatalog({ path }));
  const core = owned.use(await coreFixture({ empty: true }));
  const keys = vaultKeyring(keyText);
  await checkVault(catalog, keys);
  const pepper = await loadPepper(catalog, keys);
  const context: CoreContext = { ...core.context, catalog, vaultKeys: keys, pepper };
  return { context, keys, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
