import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linearRegex } from "../../src/kernel/safe-regex.ts";

describe("matching", () => {
  test("is found anywhere, with its case unless told otherwise", () => {
    expect(linearRegex("b+").test("aBbc")).toBe(true);
    expect(linearRegex("^b+$").test("aBbc")).toBe(false);
    expect(linearRegex("SECRET").test("a secret")).toBe(false);
    expect(linearRegex("SECRET", { ignoreCase: true }).test("a secret")).toBe(true);
  });

  test("can be repeated: no state is left behind", () => {
    const regex = linearRegex("a");
    expect([regex.test("a"), regex.test("a"), regex.test("b"), regex.test("a")]).toEqual([true, true, false, true]);
    expect(regex.findAll("aa")).toEqual(regex.findAll("aa"));
  });

  test("ranges are UTF-16 units, as `slice` takes them", () => {
    const text = "x😀😀 ä €";
    expect(
      linearRegex("😀+|€")
        .findAll(text)
        .map(([start, end]) => text.slice(start, end)),
    ).toEqual(["😀😀", "€"]);
  });

  test("empty matches are no finds", () => {
    expect(linearRegex("a*").findAll("baac")).toEqual([[1, 3]]);
    expect(linearRegex("").findAll("abc")).toEqual([]);
    expect(linearRegex("").test("abc")).toBe(true);
  });

  test("finds what the engine of the language finds, where both understand the pattern", () => {
    const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "(?:ab|c)", "\\d", "x?", "a+", "b*?", "(?:a|b){1,2}");
    const pattern = fc.array(atom, { minLength: 1, maxLength: 4 }).map((atoms) => atoms.join(""));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "x", "1", "😀"), maxLength: 12 });
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const expected = [...subject.matchAll(new RegExp(source, "gu"))]
          .filter(([found]) => found !== "")
          .map((match) => [match.index, match.index + match[0].length]);
        expect(linearRegex(source).findAll(subject)).toEqual(expected);
        expect(linearRegex(source).test(subject)).toBe(new RegExp(source, "u").test(subject));
      }),
      { numRuns: 500 },
    );
  });
});

describe("a pattern that would hurt", () => {
  test.each([
    "(",
    "a{2,1}",
    "(?=a)",
    "(?<!a)b",
    "(a)\\1",
    "[z-a]",
    "*",
    "a{1001}",
    "((a{100}){100}){100}",
    "(".repeat(2_000) + ")".repeat(2_000),
  ])("is refused at publish: %.40s", (pattern) => {
    expect(() => linearRegex(pattern)).toThrow(expect.objectContaining({ code: "resource.invalid" }));
  });

  // On a backtracking engine each of these takes longer than the universe has.
  test.each(["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])(
    "takes linear time: %s",
    (pattern) => {
      expect(linearRegex(pattern).test(`${"a".repeat(5_000)}!`)).toBe(false);
    },
  );
});
