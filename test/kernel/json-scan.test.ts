import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteEdit } from "../../src/kernel/json-scan.ts";
import { locateJson, scanJson, spliceBytes } from "../../src/kernel/json-scan.ts";
import { parseJson } from "../../src/kernel/parse-json.ts";

const deep = { maxDepth: 1_000 };

/** A JSON document in one of its many spellings: white space anywhere, any character escaped or not. */
interface Spelled {
  readonly value: unknown;
  readonly text: string;
}

const space = fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "\r"), maxLength: 3 });

function spell(value: unknown, spaces: readonly string[], escapes: readonly boolean[]): string {
  let at = 0;
  const gap = (): string => spaces[(at += 1) % spaces.length] ?? "";
  const string = (text: string): string => {
    const quoted = JSON.stringify(text);
    const escaped = (character: string): string =>
      character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
    return `"${quoted.slice(1, -1).replace(/\\u....|\\.|[^]/gu, (character) => {
      at += 1;
      return character.startsWith("\\") || !escapes[at % escapes.length] ? character : escaped(character);
    })}"`;
  };
  const write = (node: unknown): string => {
    if (Array.isArray(node)) return `[${gap()}${node.map((item) => write(item) + gap()).join(`,${gap()}`)}]`;
    if (typeof node === "string") return string(node);
    if (node === null || typeof node !== "object") return JSON.stringify(node);
    const members = Object.entries(node).map(
      ([name, item]) => `${string(name)}${gap()}:${gap()}${write(item)}${gap()}`,
    );
    return `{${gap()}${members.join(`,${gap()}`)}}`;
  };
  return gap() + write(value) + gap();
}

const text = fc.string({
  unit: fc.constantFrom("a", '"', "\\", "{", "}", "[", "]", ",", ":", " ", "ä", "€", "😀", "\n", "\u0000"),
  maxLength: 6,
});
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(text, tie("tree"), { maxKeys: 4 }),
  ),
}));
const spelling = fc.tuple(
  fc.array(space, { minLength: 1, maxLength: 7 }),
  fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
);
const document: fc.Arbitrary<Spelled> = fc
  .tuple(tree, spelling)
  .map(([value, [spaces, escapes]]) => ({ value, text: spell(value, spaces, escapes) }));
const objectDocument: fc.Arbitrary<Spelled> = fc
  .tuple(fc.dictionary(text, tree, { maxKeys: 6 }), spelling)
  .map(([value, [spaces, escapes]]) => ({ value, text: spell(value, spaces, escapes) }));

function parsedAt(bytes: Buffer, range: readonly [number, number] | undefined): unknown {
  if (range === undefined) throw new Error("nothing was found");
  return parseJson(bytes.subarray(...range).toString("utf8"));
}

function reparsed(value: unknown): unknown {
  return parseJson(JSON.stringify(value)); // -0 is 0 in JSON
}

function everyPath(
  value: unknown,
  path: readonly (string | number)[] = [],
): { path: readonly (string | number)[]; value: unknown }[] {
  const here = { path, value };
  if (Array.isArray(value)) return [here, ...value.flatMap((item, index) => everyPath(item, [...path, index]))];
  if (value === null || typeof value !== "object") return [here];
  return [here, ...Object.entries(value).flatMap(([name, item]) => everyPath(item, [...path, name]))];
}

function depthOf(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe("scanning", () => {
  test("finds exactly the members that JSON.parse finds, in any spelling", () => {
    fc.assert(
      fc.property(objectDocument, ({ text: source, value }) => {
        const bytes = Buffer.from(source);
        const { members, insertAt, depth } = scanJson(bytes, deep);
        const found = Object.fromEntries([...members].map(([name, range]) => [name, parsedAt(bytes, range)]));
        expect(found).toEqual(reparsed(value));
        expect(Object.keys(parseJson(source) as object).toSorted()).toEqual([...members.keys()].toSorted());
        expect(bytes[insertAt - 1]).toBe(0x7b);
        expect(depth).toBe(depthOf(value));
      }),
    );
  });

  test("finds no members in what is no object", () => {
    for (const source of ["[]", '[{"a":1}]', '"{\\"a\\":1}"', "7", "null", ""]) {
      expect(scanJson(Buffer.from(source), deep)).toMatchObject({ members: new Map(), insertAt: -1 });
    }
  });

  test.each(['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":{},"b":1,"a":[]}'])(
    "refuses a name that occurs twice: %s",
    (source) => {
      expect(() => scanJson(Buffer.from(source), deep)).toThrow(
        expect.objectContaining({ code: "request.invalid", param: "a" }),
      );
    },
  );

  test("a name that only deeper objects repeat is no repetition", () => {
    expect(scanJson(Buffer.from('{"a":{"a":1},"b":[{"a":2}]}'), deep).members.size).toBe(2);
  });

  test("takes nesting up to the limit and refuses one level more, before anything recursive runs", () => {
    const nested = (levels: number): Buffer => Buffer.from('{"a":['.repeat(levels / 2) + "]}".repeat(levels / 2));
    expect(scanJson(nested(10), { maxDepth: 10 }).depth).toBe(10);
    expect(() => scanJson(nested(12), { maxDepth: 10 })).toThrow(expect.objectContaining({ code: "request.too_deep" }));
    expect(() => scanJson(Buffer.from("[".repeat(5_000_000)), { maxDepth: 128 })).toThrow(
      expect.objectContaining({ code: "request.too_deep" }),
    );
    expect(scanJson(Buffer.from(`{"a":"${"[{".repeat(500)}"}`), { maxDepth: 1 }).depth).toBe(1);
  });

  test("never hangs or breaks on what is no JSON", () => {
    const junk = fc.string({ unit: fc.constantFrom('"', "\\", "{", "}", "[", "]", ",", ":", "a", " "), maxLength: 40 });
    fc.assert(
      fc.property(junk, (source) => {
        try {
          scanJson(Buffer.from(source), { maxDepth: 20 });
        } catch (error) {
          expect(error).toMatchObject({ name: "GatewayError" });
        }
      }),
    );
  });

  test("reads a long run of backslashes in linear time", () => {
    const source = Buffer.from(`{"a":"${'\\\\\\"'.repeat(1_000_000)}"}`);
    expect(scanJson(source, deep).members.get("a")).toEqual([5, source.length - 1]);
  });
});

describe("locating", () => {
  test("finds the bytes of every value at its path, in any spelling", () => {
    fc.assert(
      fc.property(document, ({ text: source, value }) => {
        const bytes = Buffer.from(source);
        for (const { path, value: expected } of everyPath(value)) {
          expect(parsedAt(bytes, locateJson(bytes, path))).toEqual(reparsed(expected));
        }
      }),
    );
  });

  test("finds nothing where there is nothing", () => {
    const bytes = Buffer.from('{"a":[1,{"b":2}],"c":"[3]","d":[ ]}');
    for (const path of [
      ["x"],
      ["a", 2],
      ["a", -1],
      ["a", 0.5],
      ["a", "0"],
      ["c", 0],
      ["d", 0],
      [0],
      ["a", 1, "b", "z"],
    ]) {
      expect(locateJson(bytes, path)).toBeUndefined();
    }
  });

  test("an index that looks like a name, and a name that looks like an index, stay apart", () => {
    const bytes = Buffer.from('{"0":"member","a":["element"]}');
    expect(locateJson(bytes, ["0"])).toEqual([5, 13]);
    expect(locateJson(bytes, [0])).toBeUndefined();
  });
});

describe("splicing", () => {
  test("a value replaced at its place changes that value and no other byte", () => {
    const cases = document.chain((spelled) =>
      fc.tuple(fc.constant(spelled), fc.constantFrom(...everyPath(spelled.value).map(({ path }) => path)), tree),
    );
    fc.assert(
      fc.property(cases, ([{ text: source, value }, path, replacement]) => {
        const bytes = Buffer.from(source);
        const range = locateJson(bytes, path);
        if (range === undefined) throw new Error("nothing was found");
        const edited = spliceBytes(bytes, [
          { start: range[0], end: range[1], replacement: JSON.stringify(replacement) },
        ]);
        expect(JSON.parse(edited.toString("utf8"))).toEqual(withValue(reparsed(value), path, reparsed(replacement)));
        expect(edited.subarray(0, range[0]).equals(bytes.subarray(0, range[0]))).toBe(true);
        expect(edited.subarray(edited.length - (bytes.length - range[1])).equals(bytes.subarray(range[1]))).toBe(true);
      }),
    );
  });

  test("a member may be put in front", () => {
    const bytes = Buffer.from(' {\n "a": 9007199254740993}');
    const { insertAt } = scanJson(bytes, deep);
    const edited = spliceBytes(bytes, [{ start: insertAt, end: insertAt, replacement: '"stream":true,' }]);
    expect(edited.toString()).toBe(' {"stream":true,\n "a": 9007199254740993}');
  });

  test("edits in any order do what they do one after another from the end", () => {
    const cases = fc.tuple(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(60), fc.nat(60), fc.string()), { maxLength: 6 }),
    );
    fc.assert(
      fc.property(cases, fc.nat(), ([bytes, wishes], seed) => {
        const edits: ByteEdit[] = [];
        for (const [left, right, replacement] of wishes) {
          const start = Math.min(left, right, bytes.length);
          const end = Math.min(Math.max(left, right), bytes.length);
          if (edits.every((edit) => edit.end < start || end < edit.start)) edits.push({ start, end, replacement });
        }
        let model = Buffer.from(bytes);
        for (const { start, end, replacement } of edits.toSorted((a, b) => b.start - a.start)) {
          model = Buffer.concat([model.subarray(0, start), Buffer.from(String(replacement)), model.subarray(end)]);
        }
        const turned = edits.map((_, index) => edits[(index + seed) % edits.length] as ByteEdit); // the index is in range
        expect(spliceBytes(bytes, turned).equals(model)).toBe(true);
      }),
    );
  });

  test.each([
    { name: "overlap", edits: [edit(0, 3), edit(2, 4)] },
    { name: "are turned round", edits: [edit(3, 1)] },
    { name: "end behind the bytes", edits: [edit(3, 7)] },
    { name: "begin before them", edits: [edit(-1, 2)] },
  ])("edits that $name are refused", ({ edits }) => {
    expect(() => spliceBytes(Buffer.from("123456"), edits)).toThrow(RangeError);
  });
});

function edit(start: number, end: number): ByteEdit {
  return { start, end, replacement: "" };
}

function withValue(tree: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(tree))
    return tree.map((item: unknown, index) => (index === step ? withValue(item, rest, value) : item));
  const entries = Object.entries(tree as Record<string, unknown>); // the path leads through it, so it is an object
  return Object.fromEntries(entries.map(([name, item]) => [name, name === step ? withValue(item, rest, value) : item]));
}
