import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../src/config-schema.ts";
import { createEmbedderSet } from "../../src/embedding/embedder-set.ts";
import { embedders } from "../../src/embedding/index.ts";
import { createVectorCache } from "../../src/embedding/vector-cache.ts";
import { fakeEmbeddings } from "../kit/embedder-tools.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/embeddings.md"), "utf8");
const samples = [...guide.matchAll(/^```yml\n([\s\S]*?)^```/gm)].map((match, index) => ({
  index,
  text: match[1] ?? "",
}));

describe("the guide of embeddings", () => {
  test("has configurations", () => {
    expect(samples.length).toBeGreaterThan(2);
  });

  test.each(samples)("configuration $index starts a gateway", async ({ text }) => {
    const { cacheBytes, ...own } = configSchema.parse(parse(text)).embedding;
    const { tools } = fakeEmbeddings();
    await using _set = createEmbedderSet({
      plugins: embedders,
      own,
      tools,
      cache: createVectorCache({ maxBytes: cacheBytes, log: tools.log }),
    });
  });

  test("names every embedder", () => {
    expect(embedders.filter(({ id }) => !guide.includes(`| \`${id}\` |`)).map(({ id }) => id)).toEqual([]);
  });
});
