import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { printRules } from "../../src/cli/rules-reference.ts";

test("the committed page of rules is what the rulesets say", async () => {
  const page = await readFile(new URL("../../docs/reference/rules.md", import.meta.url), "utf8");
  expect(page).toBe(printRules());
});
