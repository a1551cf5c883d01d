import { describe, expect, test } from "vitest";
import { bundleRuleset, readRuleset } from "../../src/governance/read-ruleset.ts";

const builtIn = new Set(["spectral:oas"]);
const bundle = (text: string, stored: Record<string, string> = {}) =>
  bundleRuleset("mine", text, { builtIn, find: async (name) => stored[name] });

describe("a ruleset's text is refused, with its line,", () => {
  test.each([
    { name: "when it is no YAML", text: "rules: {\n  a: [", says: /line \d/ },
    { name: "when a name stands twice", text: "rules: {}\nrules: {}", says: /line 2/ },
    { name: "when it brings functions", text: "rules: {}\nfunctions: [mine]", says: /line 2: .*functions/ },
    { name: "when it says where functions are", text: "functionsDir: ./mine\nrules: {}", says: /line 1: .*functions/ },
    { name: "when it is a list", text: "- a", says: /no object/ },
    { name: "when it is empty", text: "", says: /no object/ },
    { name: "when it is too long", text: `a: ${"x".repeat(1_000_001)}`, says: /longer/ },
  ])("$name", ({ text, says }) => {
    expect(() => readRuleset("mine", text)).toThrow(expect.objectContaining({ code: "resource.invalid" }));
    expect(() => readRuleset("mine", text)).toThrow(says);
  });

  test("when its aliases stand for too much", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (const [at, name] of Array.from("bcdefghij").entries())
      lines.push(`${name}: &${name} [${`*${"abcdefghi"[at]}, `.repeat(10)}]`);
    expect(() => readRuleset("mine", lines.join("\n"))).toThrow(/aliases/);
  });
});

test("JSON is read as YAML is, and a member's line is known", () => {
  const { ruleset, lineOf } = readRuleset("mine", '{\n  "rules": {\n    "a": { "given": "$" }\n  }\n}');
  expect(ruleset).toEqual({ rules: { a: { given: "$" } } });
  expect([lineOf(["rules", "a"]), lineOf(["rules", "a", "then"]), lineOf([])]).toEqual([3, 3, 1]);
});

describe("what a ruleset extends", () => {
  test("comes along, also what that extends, and once", async () => {
    const stored = { house: "extends: [base, spectral:oas]", base: "rules: {}" };
    expect(await bundle("extends: [house, base]", stored)).toEqual({
      name: "mine",
      ruleset: { extends: ["house", "base"] },
      extended: { house: { extends: ["base", "spectral:oas"] }, base: { rules: {} } },
    });
  });

  test.each([
    { name: "itself", text: "extends: mine", stored: {}, says: "mine → mine" },
    {
      name: "one that extends it",
      text: "extends: house",
      stored: { house: "extends: mine" },
      says: "mine → house → mine",
    },
    {
      name: "a circle of others",
      text: "extends: a",
      stored: { a: "extends: b", b: "extends: a" },
      says: "mine → a → b → a",
    },
    {
      name: "a circle in an override",
      text: "overrides: [{ files: ['*'], extends: [[house, all]] }]",
      stored: { house: "extends: [mine]" },
      says: "mine → house → mine",
    },
    { name: "what there is not", text: "extends: ./local.yaml", stored: {}, says: "nothing is fetched" },
    { name: "an address", text: "extends: https://example.com/r.yaml", stored: {}, says: "nothing is fetched" },
  ])("is refused when it is $name", async ({ text, stored, says }) => {
    await expect(bundle(text, stored)).rejects.toThrow(says);
  });
});
