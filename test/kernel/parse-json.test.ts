import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../src/kernel/parse-json.ts";

/** A spelling of JSON in which each character of a string is escaped or not, as `escapes` says in turn. */
function spell(value: unknown, escapes: readonly boolean[]): string {
  let turn = 0;
  const spellString = (text: string): string => {
    const spelled = text.split("").map((unit) => {
      turn += 1;
      const plain = JSON.stringify(unit).slice(1, -1);
      return escapes[turn % escapes.length] === true ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}` : plain;
    });
    return `"${spelled.join("")}"`;
  };
  const spellAny = (some: unknown): string => {
    if (typeof some === "string") return spellString(some);
    if (Array.isArray(some)) return `[${some.map(spellAny).join(" ,")}]`;
    if (some === null || typeof some !== "object") return JSON.stringify(some);
    const members = Object.entries(some).map(([name, member]) => `${spellString(name)} :\n${spellAny(member)}`);
    return `{${members.join(",")}}`;
  };
  return spellAny(value);
}

/** Names that are each other's beginning once they are spelled with escapes. */
const name = fc.oneof(
  fc.constantFrom("content", "\\u0063o", "\\", "\\u", "\\\\", "\\n", "\n", '"', "€", "a", "__proto__", "", "7"),
  fc.string({ unit: fc.constantFrom("\\", "u", "0", "6", "a", '"', "\n"), maxLength: 8 }),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(name, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(name, tie("tree"), { maxKeys: 4 }),
  ),
}));

test("a name with escapes is never taken for another one, whatever was read before", () => {
  expect(parseJson('{"role":"user","content":1}')).toEqual({ role: "user", content: 1 });
  expect(parseJson('{"role":"user","\\\\u0063o":1}')).toEqual({ role: "user", "\\u0063o": 1 });
  expect(parseJson('{"role":"user","\\u0063ontent":1}')).toEqual({ role: "user", content: 1 });
});

test("reads every spelling of a document as the plain one, names in their order", () => {
  fc.assert(
    fc.property(tree, fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }), (value, escapes) => {
      const plain = JSON.stringify(value);
      const read = parseJson(spell(value, escapes));
      expect(JSON.stringify(read)).toBe(plain);
    }),
    { numRuns: 2_000 },
  );
});

describe("as the engine does", () => {
  test("keeps the last of two equal names", () => {
    expect(parseJson('{"\\u0061":1,"a":2}')).toEqual({ a: 2 });
  });

  test("makes `__proto__` a member like any other", () => {
    const read = parseJson('{"\\u005f_proto__":{"x":1}}');
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(Object.keys(read as object)).toEqual(["__proto__"]);
  });

  test.each(["", "{", '{"\\u0061":}', '{"\\u0061":1,}', '{"\\x":1}', '["\\u0061":1]', '{"\\u0061" 1}', "[1 2]", "\\"])(
    "refuses %s",
    (text) => {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    },
  );

  test.each(['"\\u0061"', " 7 ", "null", "[]", "{}", '[{"\\n":[ ]},{ },-0,1e5,true]'])("reads %s", (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
});

test("gives numbers as they are asked for, with escaped names and without", () => {
  const digits = (text: string): unknown => ["number", text];
  for (const text of ['{"a":[1.0,12345678901234567890]}', '{"\\u0061":[1.0,12345678901234567890]}']) {
    expect(parseJson(text, digits)).toEqual({
      a: [
        ["number", "1.0"],
        ["number", "12345678901234567890"],
      ],
    });
  }
});

test("takes time that grows with the text only, however it is quoted and escaped", () => {
  const values = `[${'"\\\\\\"\\n",'.repeat(200_000)}""]`;
  expect(parseJson(values)).toHaveLength(200_001);
  const slashes = `{"a":"${"\\\\".repeat(1_000_000)}"}`;
  expect(parseJson(slashes)).toHaveProperty("a");
  const names = `[${'{"\\n":"\\\\"},'.repeat(100_000)}{}]`;
  expect(parseJson(names)).toHaveLength(100_001);
});
