import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanJson } from "../../src/kernel/json-scan.ts";
import { isPlainJson } from "../../src/kernel/plain-json.ts";
import { parseStrictJson } from "../../src/kernel/strict-json.ts";

/** A document as its writer knows it: its text, its depth, and whether some object of it has a name twice. */
interface Written {
  readonly text: string;
  readonly depth: number;
  readonly isTwice: boolean;
}

// Lengths on both sides of where the quick look hands over, full of what is special.
const strings = fc.string({ unit: fc.constantFrom("a", "é", "\\", '"', "{", "]", ","), maxLength: 150 });
const names = fc.oneof(fc.constantFrom("a", "b", "Aa", "BB", "__proto__", "1", ""), strings);
const spaces = fc.constantFrom("", " ", "\n\t");

const { document } = fc.letrec<{ document: Written }>((tie) => ({
  document: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc
      .oneof(strings, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constantFrom(true, null))
      .map((value) => ({ text: JSON.stringify(value), depth: 0, isTwice: false })),
    fc.tuple(fc.array(tie("document"), { maxLength: 6 }), spaces).map(([items, space]) => ({
      text: `[${items.map(({ text }) => `${space}${text}`).join(",")}]`,
      depth: deepest(items),
      isTwice: items.some(({ isTwice }) => isTwice),
    })),
    fc.tuple(fc.array(fc.tuple(names, tie("document")), { maxLength: 6 }), spaces).map(([members, space]) => ({
      text: `{${members.map(([name, { text }]) => `${space}${JSON.stringify(name)}${space}:${text}`).join(",")}}`,
      depth: deepest(members.map(([, value]) => value)),
      isTwice: new Set(members.map(([name]) => name)).size < members.length || members.some(([, each]) => each.isTwice),
    })),
  ),
}));

function deepest(parts: readonly Written[]): number {
  return 1 + Math.max(0, ...parts.map(({ depth }) => depth));
}

describe("the quick look at a document", () => {
  test("never takes one for plain that has a name twice or is too deep, whatever it holds", () => {
    fc.assert(
      fc.property(document, fc.integer({ min: 1, max: 6 }), ({ text, depth, isTwice }, most) => {
        if (isTwice || depth > most) expect(isPlainJson(text, most)).toBe(false);
        const read = parseStrictJson(Buffer.from(text), most);
        expect("fault" in read).toBe(isTwice || depth > most);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    { name: "ordinary members", text: '{"a":{"b":[1,-2.5,true,"x\\n"]},"b":null}' },
    { name: "an escaped pair of quotes behind a long text", text: JSON.stringify({ a: `${"x".repeat(90)}"y"`, b: 1 }) },
    { name: "equal names in objects beside each other", text: '[{"a":1},{"a":2},{"b":{"a":1}}]' },
  ])("is enough for $name", ({ text }) => {
    expect(isPlainJson(text, 8)).toBe(true);
  });

  test.each([
    { name: "a name twice, with an object between", text: '{"a":{"b":{}},"c":[{}],"a":1}' },
    { name: "half of a pair", text: '["\\uD83D"]' },
    { name: "half of a pair in a name", text: '{"\\udead":1}' },
    { name: "an exponent", text: "[1e309]" },
    { name: "a great many digits", text: `[${"9".repeat(400)}]` },
    { name: "a name with an escape", text: '{"\\u0061":1,"a":2}' },
    { name: "a name that does not end", text: '{"a' },
  ])("is not for $name", ({ text }) => {
    expect(isPlainJson(text, 8)).toBe(false);
  });

  test("is not for an object of very many members, whose look at each other would take long", () => {
    const members = Array.from({ length: 100_000 }, (_, at) => `"n${at}":1`);
    expect(isPlainJson(`{${members.join(",")}}`, 8)).toBe(false);
    expect(parseStrictJson(Buffer.from(`{${members.join(",")}}`), 8)).toHaveProperty("value");
    expect(parseStrictJson(Buffer.from(`{${members.join(",")},"n7":2}`), 8)).toHaveProperty("fault");
  });
});

test("the members of a document are found behind strings of any length and with any escapes", () => {
  fc.assert(
    fc.property(strings, strings, (one, two) => {
      const bytes = Buffer.from(JSON.stringify({ one, two, end: 7 }));
      const { members } = scanJson(bytes, { maxDepth: 4 });
      const texts = [...members].map(([name, [from, to]]) => [
        name,
        JSON.parse(bytes.toString("utf8", from, to)) as unknown,
      ]);
      expect(texts).toEqual([
        ["one", one],
        ["two", two],
        ["end", 7],
      ]);
    }),
    { numRuns: 500 },
  );
});
