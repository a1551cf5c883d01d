import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkVault } from "../../src/core/check-vault.ts";
import { createEncryption } from "../../src/core/encryption.ts";
import { openFromFile } from "../../src/core/file-envelope.ts";
import { keyIdOf } from "../../src/core/keyring.ts";
import { vaultKeyring } from "../../src/core/vault-keys.ts";
import { eventually } from "../kit/eventually.ts";
import type { ControlPlane } from "./control-plane.ts";
import { openControlPlane } from "./control-plane.ts";

const one = "11".repeat(32);
const keys = vaultKeyring(one);
let plane: ControlPlane;
let files: string[];

beforeEach(async () => {
  files = [];
  keys.replace([{ key: one }]);
  const encryption = createEncryption(() => plane.context, keys, {
    write: async (text) => void files.push(text),
    keepDropped: async () => {},
  });
  plane = await openControlPlane({ core: { vaultKeys: keys, encryption } });
  await checkVault(plane.context.catalog, keys);
  await plane.send("PUT", "/api/v1/secrets/held", { value: "canary-4711" });
});

afterEach(() => plane[Symbol.asyncDispose]());

interface EncryptionBody {
  readonly keys: readonly { readonly id: string; readonly current: boolean; readonly values: number }[];
  readonly rotation: { readonly state: string; readonly done: number };
  readonly sealed: string;
}

const send = async (method: string, path: string, body?: unknown, headers?: Record<string, string | null>) => {
  const answer = await plane.send(method, `/api/v1/encryption${path}`, body, headers);
  return { ...answer, json: JSON.parse(answer.text) as EncryptionBody }; // a member that is missing fails its test
};

describe("200", () => {
  test("the keys are told by their ids, with how much each one seals and nothing of themselves", async () => {
    const { status, json, text } = await send("GET", "");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      keysFrom: "file",
      keys: [{ id: keyIdOf(one), current: true, given: true, values: 1, places: { secret: 1, inline: 0 } }],
      rotation: { state: "never", done: 0, startedAt: null, fault: null },
    });
    expect(text).not.toContain(one);
  });

  test("a value is sealed for a file", async () => {
    const { status, json } = await send("POST", "/seal", { value: "canary-4711" });
    expect(status).toBe(200);
    expect(openFromFile(keys, json.sealed)).toEqual({ value: "canary-4711" });
  });
});

describe("202", () => {
  test("a rotation begins, and its end is told in the status", async () => {
    const begun = await send("POST", "/rotate", { newKey: true, dropOld: true });
    expect(begun).toMatchObject({ status: 202, json: { rotation: { state: "running", total: 1 } } });
    await eventually("the end", async () => (await send("GET", "")).json.rotation.state === "done");
    const { json } = await send("GET", "");
    expect(json).toMatchObject({
      keys: [{ id: keys.current.id, values: 1 }],
      rotation: { done: 1, retired: [keyIdOf(one)] },
    });
    expect(files).toHaveLength(2);
  });

  test("nothing asked for rotates to the current key, which is no work when all is sealed with it", async () => {
    expect(await send("POST", "/rotate", {})).toMatchObject({ status: 202, json: { rotation: { total: 0 } } });
    await eventually("the end", async () => (await send("GET", "")).json.rotation.state === "done");
    expect(files).toEqual([]);
  });
});

describe("400", () => {
  test.each([
    ["/rotate", { newKey: "yes" }],
    ["/rotate", { key: one }],
    ["/seal", {}],
    ["/seal", { value: "" }],
    ["/seal", { value: "4711".repeat(20_000) }],
    ["/seal", { value: ["4711"] }],
  ])("%s refuses what it does not know, without repeating it", async (path, body) => {
    const { status, text } = await send("POST", path, body);
    expect(status).toBe(400);
    expect(text).not.toMatch(new RegExp(`4711|${one}`));
  });
});

describe("401", () => {
  test.each([
    ["GET", ""],
    ["POST", "/rotate"],
    ["POST", "/seal"],
  ])("%s /encryption%s asks for the admin token", async (method, path) => {
    const body = method === "GET" ? undefined : {};
    expect((await send(method, path, body, { authorization: null })).status).toBe(401);
  });
});

describe("409", () => {
  test("a rotation while one is running is refused", async () => {
    const [first, second] = await Promise.all([send("POST", "/rotate", {}), send("POST", "/rotate", {})]);
    expect(new Set([first.status, second.status])).toEqual(new Set([202, 409]));
  });
});

describe("an inline secret", () => {
  test("is a mask in every answer, and the mask written back is no change", async () => {
    const auth = (secret: string) => ({ url: "https://mcp.example.com/mcp", auth: { secret } });
    const document = (secret: string) => ({
      metadata: { name: "tools" },
      spec: { context: "/tools", upstream: { production: auth(secret), sandbox: { sameAs: "production" } } },
    });
    const path = "/api/v1/mcp-servers";
    const made = await plane.send("POST", path, document("canary-4711"));
    expect(made.status).toBe(201);
    await plane.send("POST", `${path}/tools/publish`);
    const read = await plane.send("GET", `${path}/tools`);
    const written = await plane.send("PUT", `${path}/tools`, JSON.parse(read.text), { "if-match": '"1"' });
    expect(written.status).toBe(200);
    const again = await plane.send("POST", `${path}/tools/publish`);
    expect(again.body).toMatchObject({ revision: 1 });
    const revisions = await plane.send("GET", `${path}/tools/revisions`);
    for (const { text } of [made, read, written, revisions, await plane.send("GET", path)]) {
      expect(text).toContain('"secret":"••••"');
      expect(text).not.toMatch(/4711|isv_/);
    }
  });
});
