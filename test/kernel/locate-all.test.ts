import fc from "fast-check";
import { expect, test } from "vitest";
import { locateJson } from "../../src/kernel/json-scan.ts";
import { locateAll, locateStarts } from "../../src/kernel/locate-all.ts";

const gap = fc.constantFrom("", " ", "\n\t");
const name = fc.string({ unit: fc.constantFrom("a", "b", '"', "\\", "{", "]", ",", ":", "ä", "😀"), maxLength: 3 });
const json: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(name, fc.integer(), fc.boolean(), fc.constant(null)).map((leaf) => JSON.stringify(leaf)),
    fc.tuple(fc.array(tie("value"), { maxLength: 4 }), gap).map(([items, s]) => `[${s}${items.join(`${s},${s}`)}${s}]`),
    fc
      .tuple(fc.uniqueArray(fc.tuple(name, tie("value")), { selector: ([each]) => each, maxLength: 4 }), gap)
      .map(([members, s]) => `{${s}${members.map(([n, v]) => `${spelled(n)}${s}:${s}${v}`).join(`${s},${s}`)}${s}}`),
  ),
})).value;

const spelled = (text: string): string => JSON.stringify(text).replaceAll("a", "\\u0061");

const steps = fc.oneof(fc.constantFrom("a", "b", "", "ab"), name, fc.nat({ max: 4 }), fc.constantFrom(-1, 0.5));

function pathsOf(value: unknown, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item, at) => pathsOf(item, [...path, at]))];
  if (value === null || typeof value !== "object") return [path];
  return [path, ...Object.entries(value).flatMap(([step, item]) => pathsOf(item, [...path, step]))];
}

test("all at once are found where each is found by itself, whether there or not, in any order", () => {
  fc.assert(
    fc.property(json, gap, fc.array(fc.array(steps, { maxLength: 4 }), { maxLength: 8 }), (text, s, others) => {
      const bytes = Buffer.from(s + text + s);
      const paths = [...others, ...pathsOf(JSON.parse(text)).toReversed(), ...others];
      const ranges = paths.map((path) => locateJson(bytes, path));
      expect(locateAll(bytes, paths)).toEqual(ranges);
      expect(locateStarts(bytes, paths)).toEqual(ranges.map((range) => range?.[0]));
    }),
    { numRuns: 500 },
  );
});

test("a member that occurs twice on the way is refused", () => {
  const bytes = Buffer.from('{"x":[{"a":1,"\\u0061":2}]}');
  expect(() => locateAll(bytes, [["x", 0, "a"]])).toThrow(expect.objectContaining({ code: "request.invalid" }));
  expect(locateAll(bytes, [["x", 0]])).toEqual([[6, 24]]);
});

test("ends on what is no JSON", () => {
  const junk = fc.string({ unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "a", " "), maxLength: 40 });
  fc.assert(
    fc.property(junk, fc.array(fc.array(steps, { maxLength: 3 }), { maxLength: 4 }), (text, paths) => {
      try {
        expect(locateAll(Buffer.from(text), paths)).toHaveLength(paths.length);
      } catch (error) {
        expect(error).toMatchObject({ name: "GatewayError" });
      }
    }),
  );
});
