import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseStrictJson } from "../../src/kernel/strict-json.ts";

const parse = (text: string, maxDepth = 64) => parseStrictJson(Buffer.from(text), maxDepth);

describe("a document that two readers understand alike", () => {
  test("is what JSON.parse says it is, whatever it holds and however it is spaced", () => {
    const spacing = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), spacing, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(parse(text)).toEqual({ value: JSON.parse(text) as unknown });
      }),
    );
  });

  test.each([
    { name: "equal names in different objects", text: '[{"a":1},{"a":{"a":2}}]' },
    { name: "a value that looks like its name", text: '{"a":"a","b":"a"}' },
    { name: "quotes and backslashes in names", text: '{"a\\"":1,"a":2,"a\\\\":3}' },
    { name: "a pair of surrogates, escaped", text: '"\\ud83d\\ude00"' },
    { name: "an escaped backslash before a u", text: '"\\\\ud83d"' },
    { name: "braces in strings", text: '{"{":"}","[":"]"}' },
    { name: "the largest double", text: "1.7976931348623157e308" },
    { name: "an integer beyond 53 bits", text: "12345678901234567890" },
  ])("may hold $name", ({ text }) => {
    expect(parse(text)).toEqual({ value: JSON.parse(text) as unknown });
  });
});

describe("a document is refused", () => {
  test.each([
    { name: "a name twice", text: '{"a":1,"a":2}', type: "ambiguous" },
    { name: "a name twice, far apart", text: '{"a":1,"b":{"c":[{}]},"a":2}', type: "ambiguous" },
    { name: "a name twice, deep down", text: '[[{"x":[{"a":1, "a" :2}]}]]', type: "ambiguous" },
    { name: "a name twice, once escaped", text: '{"a":1,"\\u0061":2}', type: "ambiguous" },
    { name: "__proto__ twice", text: '{"__proto__":1,"__proto__":2}', type: "ambiguous" },
    { name: "the first half of a pair", text: '"\\ud83d"', type: "ambiguous" },
    { name: "the second half of a pair", text: '["x\\ude00"]', type: "ambiguous" },
    { name: "half of a pair in a name", text: '{"\\ud83d":1}', type: "ambiguous" },
    { name: "a number beyond all doubles", text: "[1e309]", type: "ambiguous" },
    { name: "a negative one", text: '{"a":-1E+400}', type: "ambiguous" },
    { name: "one without an exponent", text: "9".repeat(400), type: "ambiguous" },
    { name: "a byte order mark", text: "\uFEFF{}", type: "syntax" },
    { name: "nothing", text: "", type: "syntax" },
    { name: "an open string", text: '{"a', type: "syntax" },
    { name: "a trailing comma", text: "[1,]", type: "syntax" },
    { name: "a comment", text: "{}//x", type: "syntax" },
    { name: "NaN", text: "NaN", type: "syntax" },
  ])("for $name", ({ text, type }) => {
    expect(parse(text)).toEqual({ fault: { type, message: expect.any(String) as unknown } });
  });

  test("for a name that occurs twice anywhere, whatever stands around it", () => {
    const name = fc.string({ minLength: 1 }).map((text) => JSON.stringify(text.toWellFormed()));
    const rest = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(name, rest, rest, (key, one, two) => {
        expect(parse(`[${one},{${key}:${one},${key}:${two}}]`)).toMatchObject({ fault: { type: "ambiguous" } });
      }),
    );
  });

  test("exactly beyond the depth, and before any parser could exhaust the stack", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
    expect(parse(nested(10), 10)).toHaveProperty("value");
    expect(parse(nested(11), 10)).toMatchObject({ fault: { type: "depth" } });
    expect(parse("[".repeat(1_000_000), 10)).toMatchObject({ fault: { type: "depth" } });
    expect(parse('{"a":'.repeat(1_000_000), 10)).toMatchObject({ fault: { type: "depth" } });
  });

  test("for bytes that are no UTF-8", () => {
    expect(parseStrictJson(Buffer.from([0x22, 0xff, 0x22]), 8)).toMatchObject({ fault: { type: "syntax" } });
    expect(parseStrictJson(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 8)).toMatchObject({
      fault: { type: "syntax" },
    });
  });
});
