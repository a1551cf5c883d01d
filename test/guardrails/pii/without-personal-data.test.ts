import { expect, test } from "vitest";
import { createUseMemory } from "../../../src/embedding/use-memory.ts";
import { createPersonalDataRemover } from "../../../src/guardrails/pii/without-personal-data.ts";
import { builtIn } from "../../kit/built-in-embedder.ts";

const withoutPersonalData = createPersonalDataRemover();

test("a text is left without what the recognisers find in it, and otherwise as it is", () => {
  expect(withoutPersonalData("Book a table for ann@example.com, tel. +49 30 901820, please")).toBe(
    "Book a table for  , tel.  , please",
  );
  expect(withoutPersonalData("Book a table for two in 2026")).toBe("Book a table for two in 2026");
});

test("what is learnt from a use is learnt without it", async () => {
  const seen: string[] = [];
  const knowsWord = (word: string): boolean => seen.push(word) > 0;
  const memory = createUseMemory({ embedder: builtIn, knowsWord, withoutPersonalData });
  await memory.absorb({ entry: "mail", application: "a", text: "Write to lovelace@example.com about rain" });
  expect(memory.records()[0]?.stems).toContain("rain");
  expect(JSON.stringify([seen, memory.records().map(({ stems }) => stems)])).not.toMatch(/lovelace|example/);
});
