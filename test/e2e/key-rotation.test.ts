import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkVault, usedKeys } from "../../src/core/check-vault.ts";
import type { KeyStatus } from "../../src/core/encryption.ts";
import { bindingOf, openValue, sealValue } from "../../src/core/sealed-values.ts";
import { vaultKeyring } from "../../src/core/vault-keys.ts";
import { newId } from "../../src/kernel/ids.ts";
import { openDataDirectory } from "../../src/store/data-directory.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import { sampleSecret } from "../contract/sample-rows.ts";
import { eventually } from "../kit/eventually.ts";
import type { GatehouseProcess } from "../kit/gatehouse-process.ts";
import { refusedStart, startGatehouseProcess } from "../kit/gatehouse-process.ts";
import type { MockUpstream } from "../kit/mock-upstream.ts";
import { chatAnswer, startMockUpstream } from "../kit/mock-upstream.ts";

const adminToken = "rotation-admin-token-0123456789";
const values = 3_000;

let dataDir: string;
let upstream: MockUpstream;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gatehouse-key-rotation-"));
  upstream = await startMockUpstream();
});

afterEach(async () => {
  await upstream[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
});

// In development, for there the key is in a file, which the process can add to.
const start = (env: Record<string, string> = {}): Promise<GatehouseProcess> =>
  startGatehouseProcess({
    dataDir,
    adminToken,
    env: {
      GATEHOUSE_ENV: "development",
      GATEHOUSE_ENCRYPTION_KEY: "",
      GATEHOUSE_NETWORK_ALLOW_CIDRS: "127.0.0.0/8",
      ...env,
    },
  });

interface Status {
  readonly keys: readonly KeyStatus[];
  readonly rotation: { readonly state: string; readonly done: number; readonly total: number };
}

const statusOf = async (gatehouse: GatehouseProcess): Promise<Status> =>
  (await gatehouse.control("GET", "/encryption")).json as Status; // what the OpenAPI document promises

test("kill -9 amid a rotation loses nothing, and the next one goes on while requests are answered", async () => {
  await seedSecrets();
  let key = "";
  {
    await using gatehouse = await start();
    key = await putUpApi(gatehouse);
    expect(await gatehouse.control("POST", "/encryption/rotate", { newKey: true })).toMatchObject({ status: 202 });
    await eventually("some values", async () => (await statusOf(gatehouse)).rotation.done > 200, 20_000);
    expect(await gatehouse.end("SIGKILL")).toMatchObject({ signal: "SIGKILL" });
  }
  {
    await using gatehouse = await start();
    const [current, old] = (await statusOf(gatehouse)).keys;
    expect(current).toMatchObject({ current: true, given: true });
    expect(old).toMatchObject({ current: false, given: true });
    expect(current?.values).toBeGreaterThan(200);
    expect(old?.values).toBeGreaterThan(0);
    await gatehouse.control("POST", "/encryption/rotate", { dropOld: true });
    let calls = 0;
    for (; (await statusOf(gatehouse)).rotation.state === "running"; calls += 1) await call(gatehouse, key);
    expect(calls).toBeGreaterThan(1);
    const status = await statusOf(gatehouse);
    expect(status.rotation).toMatchObject({ state: "done", done: old?.values, total: old?.values });
    expect(status.keys).toHaveLength(1);
    await call(gatehouse, key);
  }
  await expectEverySecret();
}, 120_000);

test("a process with another key says so and stops, naming both keys", async () => {
  {
    await using gatehouse = await start();
    await gatehouse.end("SIGTERM");
  }
  const needed = await idsInFile();
  const env = { GATEHOUSE_ENCRYPTION_KEY: "ab".repeat(32) };
  const refused = await refusedStart({ dataDir, adminToken, env });
  expect(refused.code).toBe(1);
  const [given] = vaultKeyring(env.GATEHOUSE_ENCRYPTION_KEY).ids;
  expect(refused.err).toMatch(new RegExp(`needs ${needed.join()}.*given is ${given}`));
});

test("keys that are configured are rotated by putting a new one first", async () => {
  const [one, two] = ["11".repeat(32), "22".repeat(32)];
  {
    await using gatehouse = await start({ GATEHOUSE_ENCRYPTION_KEYS: one });
    expect(await gatehouse.control("POST", "/encryption/rotate", { newKey: true })).toMatchObject({ status: 400 });
    await gatehouse.control("PUT", "/secrets/kept", { value: "kept" });
  }
  {
    await using gatehouse = await start({ GATEHOUSE_ENCRYPTION_KEYS: `next:${two},${one}` });
    await gatehouse.control("POST", "/encryption/rotate", {});
    await eventually("the end", async () => (await statusOf(gatehouse)).rotation.state === "done", 20_000);
  }
  await using gatehouse = await start({ GATEHOUSE_ENCRYPTION_KEYS: `next:${two}` });
  expect((await statusOf(gatehouse)).keys).toMatchObject([{ id: "next", current: true, given: true }]);
}, 60_000);

/** Many secrets, written at once, so that a rotation takes a while. */
async function seedSecrets(): Promise<void> {
  await using data = await openDataDirectory(dataDir);
  const { value } = await data.encryptionKey({ configured: undefined, production: false });
  const keys = vaultKeyring(value);
  await using catalog = await openSqliteCatalog({ path: data.catalogPath });
  await checkVault(catalog, keys);
  await catalog.transaction(async ({ secrets }) => {
    for (let at = 0; at < values; at += 1) {
      const id = newId("secret");
      const sealed = sealValue(keys, `value ${at}`, bindingOf("secret", [id]));
      await secrets.put(sampleSecret({ id, name: `secret-${at}`, sealed }));
    }
  });
}

async function expectEverySecret(): Promise<void> {
  await using data = await openDataDirectory(dataDir);
  const keys = vaultKeyring(await readFile(data.encryptionKeyPath, "utf8"));
  await using catalog = await openSqliteCatalog({ path: data.catalogPath });
  expect(await usedKeys(catalog.read)).toEqual(keys.ids);
  for (let at = 0; at < values; at += 1) {
    const row = await catalog.read.secrets.find(`secret-${at}`);
    if (row === undefined) throw new Error(`secret-${at} is gone`);
    expect(openValue(keys, row.sealed, bindingOf("secret", [row.id]))).toBe(`value ${at}`);
  }
}

/** An API whose provider has its credential inline, and a key for it. */
async function putUpApi(gatehouse: GatehouseProcess): Promise<string> {
  const provider = { use: "openai-compatible", with: { baseUrl: upstream.url, apiKey: "inline-credential" } };
  await gatehouse.control("POST", "/llm-providers", { metadata: { name: "far" }, spec: provider });
  const block = { production: { targets: [{ provider: "far" }] }, sandbox: { sameAs: "production" } };
  await gatehouse.control("POST", "/llm-apis", {
    metadata: { name: "chat" },
    spec: { context: "/chat", upstream: block },
  });
  expect(await gatehouse.control("POST", "/llm-apis/chat/publish")).toMatchObject({ status: 200 });
  const request = { spec: { api: { kind: "LlmApi", name: "chat" }, environment: "production" } };
  const { key } = (await gatehouse.control("POST", "/api-keys", request)).json as { key: string }; // as documented
  await call(gatehouse, key);
  return key;
}

async function call(gatehouse: GatehouseProcess, key: string): Promise<void> {
  upstream.respond(chatAnswer("hello"));
  const answer = await fetch(`${gatehouse.gatewayUrl}/chat/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
  });
  expect(answer.status).toBe(200);
  expect(upstream.seen.at(-1)?.headers.authorization).toBe("Bearer inline-credential");
  await delay(0); // the other side of this test has a turn
}

async function idsInFile(): Promise<readonly string[]> {
  return vaultKeyring(await readFile(join(dataDir, "encryption.key"), "utf8")).ids;
}
