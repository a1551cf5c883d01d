import { expect, test } from "vitest";
import { didYouMean, nearestName } from "../../src/kernel/nearest-name.ts";

const known = ["port", "controlPort", "dataDir", "logLevel"];

test.each([
  { name: "two letters in the wrong order", typed: "prot", near: "port" },
  { name: "another case", typed: "DATADIR", near: "dataDir" },
  { name: "a letter too few", typed: "logLevl", near: "logLevel" },
  { name: "the name itself", typed: "controlPort", near: "controlPort" },
  { name: "something else altogether", typed: "certificate", near: undefined },
])("finds what was meant by $name", ({ typed, near }) => expect(nearestName(typed, known)).toBe(near));

test("says nothing when no name is near", () => {
  expect(didYouMean("zzzzzz", known)).toBe("");
  expect(didYouMean("prot", known)).toBe('; did you mean "port"?');
});
