import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkVault, usedKeys } from "../../src/core/check-vault.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import { createEncryption } from "../../src/core/encryption.ts";
import { inlineBinding, inlinePointers } from "../../src/core/inline-secrets.ts";
import { countSealed, rotateVault } from "../../src/core/key-rotation.ts";
import type { LiveKeyring } from "../../src/core/keyring.ts";
import { createKeyring, keyIdOf, parseKeyring } from "../../src/core/keyring.ts";
import { createResource, getResource } from "../../src/core/resources.ts";
import { bindingOf, openValue, sealedPlaces, sealValue } from "../../src/core/sealed-values.ts";
import { putSecret, readSecret } from "../../src/core/secrets.ts";
import { openSigningKeys, signingKeyBinding } from "../../src/core/signing-keys.ts";
import { loadPepper } from "../../src/core/vault-keys.ts";
import { oauthStateBinding } from "../../src/identity/resident/state-adapter.ts";
import { pluginSchemas } from "../../src/plugin-schemas.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import { sampleState, sampleUpstreamClient, sampleUpstreamCredential } from "../contract/sample-rows.ts";
import { eventually } from "../kit/eventually.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture, kindOf } from "./core-fixture.ts";

const one = "11".repeat(32);
const two = "22".repeat(32);

let directory: string;
let core: CoreFixture;
let context: CoreContext;
let keys: LiveKeyring;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-rotation-"));
  const catalog = await openSqliteCatalog({ path: join(directory, "catalog.db") });
  core = await coreFixture({ empty: true });
  keys = createKeyring([{ key: one }]);
  await checkVault(catalog, keys);
  const pepper = await loadPepper(catalog, keys);
  context = {
    ...core.context,
    catalog,
    vaultKeys: keys,
    pepper,
    plugins: pluginSchemas,
    residentIssuer: () => undefined,
  };
  const { ensureDefaults } = await import("../../src/core/bootstrap.ts");
  await ensureDefaults(context);
});

afterEach(async () => {
  await context.catalog[Symbol.asyncDispose]();
  await core[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Something sealed in every place there is. */
async function fillEveryPlace(secrets = 3): Promise<void> {
  for (let at = 0; at < secrets; at += 1)
    await putSecret(context, admin, { name: `secret-${at}`, value: `value ${at}` });
  const provider = {
    use: "openai-compatible",
    with: { baseUrl: "https://llm.example.com/v1", apiKey: "inline value" },
  };
  await createResource(context, admin, kindOf("LlmProvider"), { metadata: { name: "far" }, spec: provider });
  await openSigningKeys(context, "ES256");
  await context.catalog.transaction(async ({ oauthState, upstreamCredentials, upstreamClients, resources }) => {
    const held = sampleUpstreamCredential((await resources.find("LlmProvider", "far"))?.id ?? "");
    const sealed = sealValue(keys, "a token", bindingOf("upstream-credential", [held.id]));
    await upstreamCredentials.put({ ...held, sealed });
    const client = sampleUpstreamClient();
    const own = sealValue(keys, "a client secret", bindingOf("upstream-client", [client.id]));
    await upstreamClients.put({ ...client, sealed: own });
    for (const idHash of ["a", "b", "c"]) {
      const payload = sealValue(keys, `state ${idHash}`, bindingOf("oauth-state", ["Session", idHash]));
      await oauthState.put(sampleState({ model: "Session", idHash, payload }));
    }
  });
}

async function expectEverythingOpens(): Promise<void> {
  expect(await readSecret(context, "secret-1")).toBe("value 1");
  const provider = await getResource(context, kindOf("LlmProvider"), "far");
  const [pointer] = inlinePointers(provider.spec);
  const row = await context.catalog.read.inlineSecrets.find(pointer?.id ?? "");
  if (row === undefined) throw new Error("no inline value");
  expect(openValue(keys, row.sealed, bindingOf("inline", [row.holderId, row.path, row.id]))).toBe("inline value");
  const state = await context.catalog.read.oauthState.find("Session", "b");
  if (state === undefined) throw new Error("no state");
  expect(openValue(keys, state.payload, bindingOf("oauth-state", ["Session", "b"]))).toBe("state b");
  expect((await openSigningKeys(context, "ES256")).active.privateJwk).toHaveProperty("d");
  expect((await loadPepper(context.catalog, keys)).key.equals(context.pepper.key)).toBe(true);
}

const rotate = (signal = new AbortController().signal) =>
  rotateVault(context, keys, admin, { signal, onStep: () => {} });

/** Every text in every table that names the key, wherever it is. */
function cellsNaming(keyId: string): readonly string[] {
  using database = new DatabaseSync(join(directory, "catalog.db"), { readOnly: true });
  const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
  return tables.flatMap(({ name }) =>
    database
      .prepare(`select * from "${String(name)}"`)
      .all()
      .flatMap((row) => Object.entries(row).filter(([, cell]) => typeof cell === "string" && cell.includes(keyId)))
      .map(([column]) => `${String(name)}.${column}`),
  );
}

describe("a rotation", () => {
  test("leaves nothing in the database that needs the old key, and everything opens without it", async () => {
    await fillEveryPlace();
    for (const place of sealedPlaces) expect(await context.catalog.read.sealedValues.count(place)).toBeGreaterThan(0);
    keys.replace([{ key: two }, { key: one }]);
    const outcome = await rotate();
    expect(outcome).toEqual({ done: 11, unreadable: 0, retired: [keyIdOf(one)] });
    expect(cellsNaming(keyIdOf(one)).filter((cell) => cell !== "audit.detail")).toEqual([]);
    keys.replace([{ key: two }]);
    await checkVault(context.catalog, keys);
    await expectEverythingOpens();
  });

  test("changes neither a spec nor a version: no gateway hears of it", async () => {
    await fillEveryPlace();
    const before = await getResource(context, kindOf("LlmProvider"), "far");
    core.messages.length = 0;
    keys.replace([{ key: two }, { key: one }]);
    await rotate();
    expect(await getResource(context, kindOf("LlmProvider"), "far")).toEqual(before);
    expect(core.messages).toEqual([]);
  });

  test("goes on where it was stopped", async () => {
    await fillEveryPlace(120);
    keys.replace([{ key: two }, { key: one }]);
    const stop = new AbortController();
    let seen = 0;
    const stopped = rotateVault(context, keys, admin, {
      signal: stop.signal,
      onStep: ({ done }) => {
        seen = done;
        stop.abort();
      },
    });
    await expect(stopped).rejects.toThrow();
    expect(seen).toBe(50);
    await expectEverythingOpens();
    expect(await usedKeys(context.catalog.read)).toEqual([keyIdOf(one), keyIdOf(two)]);
    expect(await rotate()).toMatchObject({ done: 128 - 50, retired: [keyIdOf(one)] });
  });

  test("leaves a value alone that no key opens, says so, and keeps its key needed", async () => {
    await fillEveryPlace();
    const foreign = sealValue(createKeyring([{ key: one }]), "x", "another place");
    await context.catalog.transaction(({ oauthState }) =>
      oauthState.put(sampleState({ model: "Session", idHash: "damaged", payload: foreign })),
    );
    keys.replace([{ key: two }, { key: one }]);
    expect(await rotate()).toEqual({ done: 11, unreadable: 1, retired: [] });
    expect((await countSealed(context.catalog.read, [keyIdOf(one)]))["oauth-state"]).toEqual({ [keyIdOf(one)]: 1 });
  });

  test("loses no value that is written while it runs", async () => {
    await fillEveryPlace(200);
    keys.replace([{ key: two }, { key: one }]);
    const running = rotate();
    for (let at = 0; at < 200; at += 7) await putSecret(context, admin, { name: `secret-${at}`, value: `newer ${at}` });
    await running;
    keys.replace([{ key: two }]);
    for (let at = 0; at < 200; at += 1) {
      expect(await readSecret(context, `secret-${at}`)).toBe(`${at % 7 === 0 ? "newer" : "value"} ${at}`);
    }
  });
});

test("every place is bound as those who seal there bind it", () => {
  expect(bindingOf("signing-key", ["k1"])).toBe(signingKeyBinding("k1"));
  expect(bindingOf("oauth-state", ["Session", "ab"])).toBe(oauthStateBinding("Session", "ab"));
  expect(bindingOf("inline", ["llm_1", "spec.a", "isv_1"])).toBe(
    inlineBinding({ id: "isv_1", holderId: "llm_1", path: "spec.a" }),
  );
});

describe("the encryption of an installation", () => {
  test("makes a new key in the key file, rotates to it and drops the old one", async () => {
    await fillEveryPlace();
    const files: string[] = [];
    const dropped: string[] = [];
    await using encryption = createEncryption(() => context, keys, {
      write: async (text) => void files.push(text),
      keepDropped: async (text) => void dropped.push(text),
    });
    expect(await encryption.rotate(admin, { newKey: true, dropOld: true })).toMatchObject({
      rotation: { state: "running", total: 11 },
    });
    await expect(encryption.rotate(admin, { newKey: true, dropOld: false })).rejects.toMatchObject({
      code: "resource.conflict",
    });
    await eventually("the end", async () => (await encryption.status()).rotation.state === "done");
    expect(files.map((text) => parseKeyring(text, "it").length)).toEqual([2, 1]);
    expect(files[0]).toContain(one);
    expect(files[1]).not.toContain(one);
    expect(dropped.map((text) => text.trim())).toEqual([one]);
    expect((await encryption.status()).keys).toMatchObject([{ current: true, given: true, values: 11 }]);
    await expectEverythingOpens();
    const { rows } = await context.catalog.read.audit.list({}, { limit: 200, cursor: undefined });
    expect(rows.at(-1)).toMatchObject({
      action: "encryption.rotated",
      detail: { values: 11, retired: [keyIdOf(one)] },
    });
  });

  test("cannot make a key where the keys are configured, and says what to do", async () => {
    await using encryption = createEncryption(() => context, keys, undefined);
    await expect(encryption.rotate(admin, { newKey: true, dropOld: false })).rejects.toMatchObject({
      code: "request.invalid",
      message: expect.stringContaining("GATEHOUSE_ENCRYPTION_KEYS"),
    });
  });

  test("a key file that cannot be written leaves the old key in use", async () => {
    await fillEveryPlace();
    const write = () => Promise.reject(new Error("disk full"));
    await using encryption = createEncryption(() => context, keys, { write, keepDropped: write });
    await expect(encryption.rotate(admin, { newKey: true, dropOld: false })).rejects.toThrow("disk full");
    expect(keys.ids).toEqual([keyIdOf(one)]);
    expect((await encryption.status()).rotation.state).toBe("never");
    await putSecret(context, admin, { name: "after", value: randomBytes(8).toString("hex") });
    await readSecret(context, "after");
  });
});
