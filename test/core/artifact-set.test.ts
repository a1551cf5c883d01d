import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { generateApiKey } from "../../src/core/api-keys.ts";
import { buildArtifactSet } from "../../src/core/artifact-set.ts";
import type { CatalogTransaction } from "../../src/core/catalog.ts";
import { contentHash } from "../../src/core/content-hash.ts";
import { putSecret } from "../../src/core/secrets.ts";
import { canonicalJson } from "../../src/kernel/canonical-json.ts";
import { admin, coreFixture, create, providerSpec, withChatApi } from "./core-fixture.ts";

describe("the config hash", () => {
  test("is SHA-256 of the canonical JSON of the set without itself, with hashes in the place of APIs' specs", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { hash, ...rest } = await buildArtifactSet(core.context.catalog.read);
    const sha256 = (value: unknown) => createHash("sha256").update(canonicalJson(value)).digest("hex");
    const apis = rest.apis.map(({ spec, ...api }) => ({ ...api, specHash: sha256(spec) }));
    expect(hash).toBe(sha256({ ...rest, apis }));
    expect(rest.supporting.map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      "Gateway/default",
      "LlmProvider/openai",
    ]);
  });

  test("is the same in whatever order the catalog gives the rows", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    for (const name of ["b", "a", "c"]) {
      await create(core, "Plan", name, {});
      await create(core, "LlmProvider", name, providerSpec);
    }
    const { read } = core.context.catalog;
    const { hash } = await buildArtifactSet(read);
    const shuffled: CatalogTransaction = {
      ...read,
      deployments: { ...read.deployments, all: async () => (await read.deployments.all()).toReversed() },
      resources: { ...read.resources, all: async (kind) => (await read.resources.all(kind)).toReversed() },
    };
    expect((await buildArtifactSet(shuffled)).hash).toBe(hash);
  });

  test("is made without reading a spec again that was deployed before", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { read } = core.context.catalog;
    const first = await buildArtifactSet(read);
    const unread: CatalogTransaction = {
      ...read,
      revisions: { ...read.revisions, find: () => Promise.reject(new Error("it was read again")) },
    };
    const second = await buildArtifactSet(unread);
    expect(second).toEqual(first);
    expect(second.apis[0]?.spec).toBe(first.apis[0]?.spec);
  });

  test("does not change with keys, secrets, applications or drafts", async () => {
    await using core = await coreFixture();
    await withChatApi(core);
    const { hash } = await buildArtifactSet(core.context.catalog.read);
    await putSecret(core.context, admin, { name: "token", value: "x" });
    await create(core, "Application", "other", {});
    const spec = { api: { kind: "LlmApi", name: "chat" }, environment: "production" };
    await generateApiKey(core.context, admin, { spec });
    expect((await buildArtifactSet(core.context.catalog.read)).hash).toBe(hash);
  });

  test("of equal content is equal whatever the order of members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(contentHash(reversed)).toBe(contentHash(value));
      }),
    );
  });
});

test("gateways hear of writes in the order of their commits, also when many race", async () => {
  await using core = await coreFixture();
  await Promise.all(Array.from({ length: 40 }, (_, index) => create(core, "Plan", `plan-${index}`, {})));
  const sets = core.messages.flatMap((message) => (message.type === "artifacts" ? [message.set] : []));
  const sizes = sets.map(({ supporting }) => supporting.length);
  expect(sizes).toEqual(sizes.toSorted((left, right) => left - right));
  expect(sets.at(-1)).toEqual(await buildArtifactSet(core.context.catalog.read));
});
