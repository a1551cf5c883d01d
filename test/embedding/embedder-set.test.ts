import { describe, expect, test } from "vitest";
import { embedderChoiceSchema } from "../../src/embedding/embedder-choice.ts";
import type { EmbedderSet } from "../../src/embedding/embedder-set.ts";
import { createEmbedderSet } from "../../src/embedding/embedder-set.ts";
import { embedders } from "../../src/embedding/index.ts";
import { createVectorCache } from "../../src/embedding/vector-cache.ts";
import type { FakeEmbeddings } from "../kit/embedder-tools.ts";
import { fakeEmbeddings } from "../kit/embedder-tools.ts";

const openai = { use: "openai", with: { apiKey: "${secret:openai-key}" } };

function setOf(
  own: { use: string; with: Readonly<Record<string, unknown>> },
  fake: FakeEmbeddings = fakeEmbeddings(),
): EmbedderSet {
  const cache = createVectorCache({ maxBytes: 1_048_576, log: fake.tools.log });
  return createEmbedderSet({ plugins: embedders, own, tools: fake.tools, cache });
}

test("the deployment's embedder is there for all, and a policy may choose another", async () => {
  const fake = fakeEmbeddings();
  await using set = setOf({ use: "built-in", with: {} }, fake);
  const own = set.use();
  expect(own.embed(["delete the file"])).toMatchObject([{ length: 256 }]); // no promise: the model is at hand
  const chosen = set.use(embedderChoiceSchema.parse(openai));
  expect((await chosen.embed(["delete the file"]))[0]).toHaveLength(3);
  expect(chosen.modelId).not.toBe(own.modelId);
  expect(fake.calls).toHaveLength(1);
});

test("the same choice is the same embedder, however its configuration is ordered, and its vectors are kept", async () => {
  const fake = fakeEmbeddings();
  await using set = setOf(openai, fake);
  const other = { use: "openai", with: { model: "m", apiKey: "${secret:openai-key}" } };
  expect(set.use(other)).toBe(set.use({ use: "openai", with: { apiKey: "${secret:openai-key}", model: "m" } }));
  expect(set.use(openai)).toBe(set.use());
  await set.use().embed(["one"]);
  await set.use(openai).embed(["one"]);
  await set.use(other).embed(["one"]);
  expect(fake.calls.map(({ body }) => (JSON.parse(String(body)) as { model: string }).model)).toEqual([
    "text-embedding-3-small",
    "m",
  ]);
});

test("a text that is on its way for one policy is not sent again for another", async () => {
  const fake = fakeEmbeddings();
  await using set = setOf(openai, fake);
  await Promise.all([set.use().embed(["one"]), set.use(openai).embed(["one", "two"])].map(async (each) => each));
  expect([...fake.texts].toSorted()).toEqual(["one", "two"]);
});

describe("a choice that cannot be used is refused with the place of the fault", () => {
  test.each([
    { name: "an unknown embedder", own: { use: "built-out", with: {} }, path: "embedding.use", says: "built-in" },
    { name: "a missing key", own: { use: "openai", with: {} }, path: "embedding.with.apiKey", says: "" },
    {
      name: "a key that is no reference",
      own: { use: "openai", with: { apiKey: "sk-1" } },
      path: "embedding.with.apiKey",
      says: "reference",
    },
    {
      name: "an option that there is not",
      own: { use: "built-in", with: { modl: "m" } },
      path: "embedding.with.",
      says: "modl",
    },
    {
      name: "a URL with a password",
      own: { use: "openai-compatible", with: { model: "m", baseUrl: "http://u:p@h/v1" } },
      path: "embedding.with.baseUrl",
      says: "secret",
    },
  ])("$name", ({ own, path, says }) => {
    let issues: unknown;
    try {
      setOf(own);
    } catch (error) {
      issues = error instanceof Error && "issues" in error ? error.issues : undefined;
    }
    expect(issues).toEqual([{ path, message: expect.stringContaining(says) }]);
  });

  test("one of a policy names the policy's own member", async () => {
    await using set = setOf({ use: "built-in", with: {} });
    expect(() => set.use({ use: "nope", with: {} })).toThrow(/embedder\.use: there is no embedder "nope"/);
  });
});
