import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { secretReferenceSchema } from "../../src/core/api-spec.ts";
import { applyDocuments } from "../../src/core/apply.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import { sealForFile } from "../../src/core/file-envelope.ts";
import { inlinePointers, maskInline, secretMask } from "../../src/core/inline-secrets.ts";
import { publishApi } from "../../src/core/publishing.ts";
import type { Resource } from "../../src/core/resource.ts";
import { createResource, deleteResource, replaceResource } from "../../src/core/resources.ts";
import { createSecretCache } from "../../src/core/secret-cache.ts";
import { vaultKeyring } from "../../src/core/vault-keys.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture, kindOf, withChatApi } from "./core-fixture.ts";

let core: CoreFixture;
let context: CoreContext;

const schema = z.strictObject({
  apiKey: secretReferenceSchema.optional(),
  url: z.string().optional(),
  list: z.array(z.strictObject({ id: z.string(), token: secretReferenceSchema })).optional(),
});

beforeEach(async () => {
  core = await coreFixture();
  context = { ...core.context, plugins: (_roles, use) => (use === "known" ? schema : undefined) };
});

const spec = (config: object) => ({ use: "known", with: config });
const document = (name: string, config: object) => ({ metadata: { name }, spec: spec(config) });
const provider = kindOf("LlmProvider");
const make = (config: object, name = "far"): Promise<Resource> =>
  createResource(context, admin, provider, document(name, config));
const change = (before: Resource, config: object): Promise<Resource> =>
  replaceResource(context, admin, provider, before.name, document(before.name, config), before.version);

/** What the gateway's secret reader gives for each inline value of a resource. */
async function readAll(resource: Resource): Promise<readonly string[]> {
  const cache = createSecretCache(() => context);
  const supporting = [{ kind: "LlmProvider" as const, id: resource.id, name: resource.name, spec: resource.spec }];
  await cache.apply({ type: "artifacts", set: { hash: "", apis: [], supporting } });
  return Promise.all(inlinePointers(resource.spec).map(async ({ id }) => cache.read(id)));
}

describe("a value that is given inline", () => {
  test("stands in no part of the catalog, and opens in the gateway's secret reader", async () => {
    const made = await make({ apiKey: "canary-4711", url: "canary-is-no-secret" });
    expect(JSON.stringify(made)).not.toContain("4711");
    expect(maskInline(made.spec)).toEqual(spec({ apiKey: secretMask, url: "canary-is-no-secret" }));
    expect(await readAll(made)).toEqual(["canary-4711"]);
    const audit = await context.catalog.read.audit.list({}, { limit: 200, cursor: undefined });
    const rows = await context.catalog.read.inlineSecrets.of(made.id);
    expect(rows).toMatchObject([{ path: "spec.with.apiKey", sealed: { kid: "vault-1" } }]);
    expect(JSON.stringify([audit, rows, core.messages])).not.toContain("4711");
  });

  test("is kept by the mask, also while other members change", async () => {
    const made = await make({ apiKey: "canary-4711", url: "one" });
    const changed = await change(made, { apiKey: secretMask, url: "two" });
    expect(changed.spec).toEqual({ ...(made.spec as object), with: { ...withOf(made), url: "two" } });
    expect(await readAll(changed)).toEqual(["canary-4711"]);
  });

  test("keeps its place when the same value is written again, and is replaced by another", async () => {
    const made = await make({ apiKey: "one" });
    const same = await change(made, { apiKey: "one" });
    expect(same.spec).toEqual(made.spec);
    const other = await change(same, { apiKey: "two" });
    expect(other.spec).not.toEqual(made.spec);
    expect(await readAll(other)).toEqual(["two"]);
    expect(await context.catalog.read.inlineSecrets.of(made.id)).toHaveLength(1);
  });

  test("goes away with its member, and with its resource", async () => {
    const made = await make({ apiKey: "one" });
    const without = await change(made, { apiKey: "${secret:missing}" }).catch(() => change(made, {}));
    expect(await context.catalog.read.inlineSecrets.of(made.id)).toEqual([]);
    const again = await change(without, { apiKey: "two" });
    await deleteResource(context, admin, provider, "far", again.version);
    expect(await context.catalog.read.inlineSecrets.of(made.id)).toEqual([]);
  });

  test("opens for the resource and the member that it was written for, and for no other", async () => {
    const made = await make({ apiKey: "one" });
    const other = await make({}, "other");
    await expect(readAll({ ...other, spec: made.spec })).rejects.toMatchObject({ code: "upstream.credentials" });
    const moved = { ...made, spec: { use: "known", with: { url: withOf(made)["apiKey"] } } };
    await expect(readAll(moved)).rejects.toMatchObject({ code: "upstream.credentials" });
  });

  test("still opens where it belongs when its id has been written elsewhere too", async () => {
    const made = await make({ apiKey: "one" });
    const other = await make({ url: String(withOf(made)["apiKey"]) }, "other");
    const cache = createSecretCache(() => context);
    const supporting = [made, other].map(({ id, name, spec }) => ({ kind: "LlmProvider" as const, id, name, spec }));
    await cache.apply({ type: "artifacts", set: { hash: "", apis: [], supporting } });
    expect(await cache.read(inlinePointers(made.spec)[0]?.id ?? "")).toBe("one");
  });

  test("is sealed anew under the current key when it comes in an envelope made for a file", async () => {
    const made = await make({ apiKey: sealForFile(context.vaultKeys, "canary-4711") });
    expect(await readAll(made)).toEqual(["canary-4711"]);
  });
});

describe("in a list", () => {
  const item = (id: string, token: string) => ({ id, token });

  test("a mask keeps the value of the same item, wherever it has moved", async () => {
    const made = await make({ list: [item("a", "one"), item("b", "two")] });
    const moved = await change(made, { list: [item("b", secretMask), item("c", "three"), item("a", secretMask)] });
    expect(await readAll(moved)).toEqual(["two", "three", "one"]);
  });

  test.each([
    { name: "an item that was changed", list: [item("changed", secretMask), item("b", secretMask)] },
    { name: "an item that is new", list: [item("a", secretMask), item("b", secretMask), item("c", secretMask)] },
  ])("a mask in $name is refused: whose value it stands for cannot be told", async ({ list }) => {
    const made = await make({ list: [item("a", "one"), item("b", "two")] });
    await expect(change(made, { list })).rejects.toMatchObject({
      code: "resource.invalid",
      message: expect.stringContaining("write the value itself"),
    });
  });
});

describe("refused, without the value", () => {
  const refused: readonly { name: string; value: string; says: string }[] = [
    { name: "a mask where nothing is stored", value: secretMask, says: "no stored value" },
    { name: "a mask with something beside it", value: `${secretMask}4711`, says: "write the whole value" },
    { name: "a mistyped reference", value: "${secrets:4711}", says: "write ${secret:name}" },
    {
      name: "a place in the store, which nobody is ever told",
      value: `\${sealed:isv_${"0".repeat(24)}}`,
      says: "write ${secret:name}",
    },
    { name: "a value that is too long", value: "4711".repeat(20_000), says: "at most 65536" },
    { name: "half an envelope", value: "${enc:vk_1:4711", says: "gatehouse secrets encrypt" },
    {
      name: "an envelope of another installation",
      value: sealForFile(vaultKeyring("ab".repeat(32)), "4711"),
      says: "the key here is vault-1",
    },
  ];
  test.each(refused)("$name", async ({ value, says }) => {
    const fault: unknown = await make({ apiKey: value }).catch((error: unknown) => error);
    expect(fault).toMatchObject({
      code: "resource.invalid",
      issues: [{ path: "spec.with.apiKey", message: expect.stringContaining(says) }],
    });
    expect(String(fault)).not.toContain("4711");
  });

  test("a plain value in a member that is named as credentials are and that no schema calls secret", async () => {
    const fault: unknown = await make({ password: "canary-4711" }).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: "resource.invalid" });
    expect(String(fault)).not.toContain("4711");
  });

  test("a document that is nested too deeply is refused before it is walked", async () => {
    let deep: object = {};
    for (let level = 0; level < 100_000; level += 1) deep = { deep };
    await expect(make(deep)).rejects.toMatchObject({ code: "resource.invalid" });
  });
});

test("an API that is published again with the same value, or the mask, gets no new revision", async () => {
  const { api } = await withChatApi(core);
  const kind = kindOf("LlmApi");
  const withPolicy = (token: string) => ({
    metadata: { name: api.name },
    spec: { ...(api.spec as object), policies: [{ use: "known", with: { apiKey: token } }] },
  });
  const first = await replaceResource(context, admin, kind, api.name, withPolicy("canary-4711"), api.version);
  const { revision } = await publishApi(context, admin, kind, api.name);
  const masked = await replaceResource(context, admin, kind, api.name, withPolicy(secretMask), first.version);
  await replaceResource(context, admin, kind, api.name, withPolicy("canary-4711"), masked.version);
  expect(await publishApi(context, admin, kind, api.name)).toMatchObject({ revision, changed: false });
});

test("applying a file again changes nothing, and a dry run neither tells nor keeps a value", async () => {
  const files = [
    {
      source: "a.yaml",
      line: 1,
      value: { apiVersion: "gatehouse/v1", kind: "LlmProvider", ...document("filed", { apiKey: "canary-4711" }) },
    },
  ];
  const apply = (dryRun: boolean) => applyDocuments(context, admin, files, { dryRun, draft: false });
  expect(JSON.stringify(await apply(true))).not.toContain("4711");
  expect(await apply(false)).toMatchObject([{ change: "created" }]);
  expect(await apply(false)).toMatchObject([{ change: "unchanged" }]);
});

test("a stored value that does not open any more is told as missing credentials, and a new one mends it", async () => {
  const made = await make({ apiKey: "one" });
  context = { ...context, vaultKeys: vaultKeyring("cd".repeat(32)) };
  await expect(readAll(made)).rejects.toMatchObject({ code: "upstream.credentials" });
  expect(await readAll(await change(made, { apiKey: "one" }))).toEqual(["one"]);
});

function withOf(resource: Resource): Readonly<Record<string, unknown>> {
  return (resource.spec as { with: Readonly<Record<string, unknown>> }).with; // as `spec` above makes it
}
