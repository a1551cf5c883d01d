import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { requiredHeader } from "./required-header.ts";

const root = join(import.meta.dirname, "../..");

test("the plug-in that CONTRIBUTING shows is the file that is compiled here", () => {
  const compiled = readFileSync(join(root, "test/docs/required-header.ts"), "utf8").replaceAll("../../src/", "../");
  const shown = /```ts\n(import [\s\S]*?)```/.exec(readFileSync(join(root, "CONTRIBUTING.md"), "utf8"))?.[1];
  expect(shown).toBe(compiled);
});

test("its examples satisfy its own schema", () => {
  expect(requiredHeader.examples.map((example) => requiredHeader.config.parse(example))).toEqual([
    { name: "x-cost-centre" },
  ]);
});
