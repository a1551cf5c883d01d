import { describe, expect, test } from "vitest";
import { staticEmbedder } from "../../src/embedding/static-embedder.ts";
import { builtIn, embedderTools } from "../kit/built-in-embedder.ts";

describe("the built-in embedder", () => {
  test("answers at once, in order, and with nothing for what has no meaning", () => {
    const vectors = builtIn.embed(["send an email", "", "привет", "send an email"]);
    if (vectors instanceof Promise) throw new TypeError("a model at hand needs no promise");
    expect(vectors.map((vector) => vector?.length)).toEqual([256, undefined, undefined, 256]);
    expect(vectors[3]).toEqual(vectors[0]);
  });

  test("is named by its weights", () => {
    expect(builtIn.modelId).toBe("toolvec-en-256@c68f073f72fe");
    expect(builtIn.dimensions).toBe(256);
  });

  test("has thresholds between 0 and 1, the strictest for answers given twice", () => {
    const { route, tool, guard, cache } = builtIn.thresholds;
    for (const threshold of [route, tool, guard, cache]) expect(threshold > 0 && threshold < 1).toBe(true);
    expect(Math.max(route, tool, guard)).toBeLessThan(cache);
  });

  test("takes the configurations that it gives as examples, and no unknown key", () => {
    for (const example of staticEmbedder.examples) expect(staticEmbedder.config.safeParse(example).success).toBe(true);
    expect(staticEmbedder.config.safeParse({ path: "x" }).success).toBe(false);
  });

  test("reads its folder at the first text, and says which file is missing", () => {
    const embedder = staticEmbedder.compile({ folder: "/nowhere" }, embedderTools);
    expect(() => embedder.embed(["mail"])).toThrow(
      expect.objectContaining({ code: "config.invalid", detail: "/nowhere" }),
    );
  });
});
