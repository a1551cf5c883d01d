import { expect, test } from "vitest";
import { readBuiltInModels } from "../../src/built-in-models.ts";
import { accountFacts } from "../../src/pipeline/model-table.ts";

test("a dated version takes what its model takes, and of an unknown one nothing is known", () => {
  const openai = readBuiltInModels().provider("openai");
  expect(openai("gpt-4o-2024-11-20")).toEqual(openai("gpt-4o"));
  expect([openai("gpt-4o")?.context, openai("nobody"), readBuiltInModels().provider("ollama")("gpt-4o")]).toEqual([
    128_000,
    undefined,
    undefined,
  ]);
});

test("what the operator has written comes first, the first glob that fits, and leaves the rest as it is built in", () => {
  const builtIn = readBuiltInModels().provider("openai");
  const factsOf = accountFacts({ "gpt-4o*": { tools: false }, "*": { context: 1 } }, builtIn);
  expect(factsOf("gpt-4o")).toMatchObject({ tools: false, context: 128_000 });
  expect(factsOf("else")).toEqual({ context: 1 });
});
