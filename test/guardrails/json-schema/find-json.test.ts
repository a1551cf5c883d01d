import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findFenced } from "../../../src/guardrails/json-schema/find-fenced.ts";
import { findJson } from "../../../src/guardrails/json-schema/find-json.ts";

test.each([
  { name: "nested objects whole", text: 'so {"a":{"b":[1,{"c":{}}]}} it is', found: ['{"a":{"b":[1,{"c":{}}]}}'] },
  { name: "several documents in order", text: '{"a":1} and [2] {"b":3}', found: ['{"a":1}', "[2]", '{"b":3}'] },
  { name: "documents without anything between", text: '{}{"a":1}[]', found: ["{}", '{"a":1}', "[]"] },
  { name: "braces in strings as text", text: '{"a":"}] \\" {"}', found: ['{"a":"}] \\" {"}'] },
  { name: "what is whole inside of what is not", text: '{note: {"a":1}, [2]', found: ['{"a":1}', "[2]"] },
  { name: "what is whole before a document breaks off", text: '[{"a":1}, {"b":', found: ['{"a":1}'] },
  { name: "a document behind a quotation mark", text: '[he said "take {"a":1}"', found: ['{"a":1}'] },
  { name: "nothing in a trailing comma", text: "[1,] {,}", found: [] },
  { name: "no numbers of another form", text: "[01] [.5] [1.] [-] [+1] [1e] [NaN] [0x1]", found: [] },
  { name: "numbers of every form", text: "[-0, 1.5e+10, 2E3]", found: ["[-0, 1.5e+10, 2E3]"] },
  { name: "no string with a line in it or an unknown escape", text: '["a\nb"] ["\\x"] ["\\u12"]', found: [] },
  { name: "nothing in single quotation marks", text: "{'a': 1}", found: [] },
  { name: "words in capital letters as none", text: "[True]", found: [] },
  { name: "nothing where there is nothing", text: "", found: [] },
])("finds $name", ({ text, found }) => {
  expect(findJson(text).map(({ start, end }) => text.slice(start, end))).toEqual(found);
});

test("finds every document that JSON.stringify writes, whatever it holds", () => {
  const document = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
  const prose = fc.string({ unit: fc.constantFrom("a", " ", ",", ":", "}", "]", "1") });
  fc.assert(
    fc.property(fc.array(fc.tuple(prose, document)), fc.constantFrom(0, 2), (parts, indent) => {
      const texts = parts.map(([, value]) => JSON.stringify(value, null, indent));
      const text = parts.map(([before], index) => before + texts[index]).join("");
      expect(findJson(text).map(({ start, end }) => text.slice(start, end))).toEqual(texts);
    }),
  );
});

test("finds nothing that JSON.parse does not read", () => {
  const text = fc.string({ unit: fc.constantFrom(...Array.from("{}[]\",:\\1.e-nul tr'\n")), maxLength: 60 });
  fc.assert(
    fc.property(text, (mixed) => {
      for (const { start, end } of findJson(mixed)) JSON.parse(mixed.slice(start, end));
    }),
    { numRuns: 2_000 },
  );
});

test.each(["[", '{"a":', '{"', '["[', '{"{\\"', '[{"a', "}", '"', '[1,{"a":[', "\\", '[" '])(
  "a million characters of %j are read in time that grows with the text only",
  (unit) => {
    const startMs = performance.now();
    findJson(unit.repeat(1_000_000 / unit.length));
    expect(performance.now() - startMs).toBeLessThan(10_000);
  },
  20_000,
);

describe("fenced blocks", () => {
  test.each([
    { name: "those marked as JSON", text: 'See:\n```json\n{"a":1}\n```\nand so on', found: ['{"a":1}'] },
    { name: "those marked as nothing, and with tildes", text: "~~~\n[1]\n~~~", found: ["[1]"] },
    { name: "none of another language", text: "```python\n{}\n```", found: [] },
    { name: "one that is not closed", text: "```JSON\n{}", found: ["{}"] },
    { name: "shorter fences inside as text", text: "````json\n```\n````", found: ["```"] },
    { name: "none in the midst of a line", text: "such as ```json {} ```", found: [] },
  ])("are found: $name", ({ text, found }) => {
    expect(findFenced(text)).toEqual(found);
  });
});
