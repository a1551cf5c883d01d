import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Catalog } from "../../src/core/catalog.ts";
import { checkVault, forgetKeys, usedKeys } from "../../src/core/check-vault.ts";
import { createKeyring, keyIdOf } from "../../src/core/keyring.ts";
import { loadPepper } from "../../src/core/vault-keys.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";

const one = "11".repeat(32);
const two = "22".repeat(32);
let catalog: Catalog;

beforeEach(async () => {
  catalog = await openSqliteCatalog({ path: ":memory:" });
});

afterEach(() => catalog[Symbol.asyncDispose]());

const start = (...keys: readonly { id?: string; key: string }[]) => checkVault(catalog, createKeyring(keys));

describe("at the start", () => {
  test("the key of the first start is taken at every later one, also beside a newer one", async () => {
    await start({ key: one });
    await start({ key: one });
    await start({ key: two }, { key: one });
    expect(await usedKeys(catalog.read)).toEqual([keyIdOf(one), keyIdOf(two)]);
  });

  test("another key is refused, and both are named", async () => {
    await start({ key: one });
    await expect(start({ key: two })).rejects.toMatchObject({
      code: "secret.undecryptable",
      message: expect.stringMatching(new RegExp(`${keyIdOf(one)}.*${keyIdOf(two)}`)),
    });
    expect(await usedKeys(catalog.read)).toEqual([keyIdOf(one)]);
  });

  test("the right id on another key is refused", async () => {
    await start({ id: "main", key: one });
    await expect(start({ id: "main", key: two })).rejects.toMatchObject({
      code: "secret.undecryptable",
      message: expect.stringContaining("is not the main that"),
    });
  });

  test("a key that was forgotten after a rotation is not asked for any more", async () => {
    await start({ key: one });
    await start({ key: two }, { key: one });
    await catalog.transaction((transaction) => forgetKeys(transaction, [keyIdOf(one)]));
    await start({ key: two });
  });

  test("a catalog from before keys were noted tells by what is in it", async () => {
    await loadPepper(catalog, createKeyring([{ key: one }]));
    await expect(start({ key: two })).rejects.toMatchObject({ code: "secret.undecryptable" });
    await start({ key: two }, { key: one });
    expect(await usedKeys(catalog.read)).toEqual([keyIdOf(one), keyIdOf(two)]);
  });
});
