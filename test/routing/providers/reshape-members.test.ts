import fc from "fast-check";
import { expect, test } from "vitest";
import { reshapeMembers } from "../../../src/routing/providers/reshape-members.ts";

test.each([
  { name: "the first", body: '{"a":1,"b":2}', drop: ["a"], left: '{"b":2}' },
  { name: "the last", body: '{"a":1,"b":2}', drop: ["b"], left: '{"a":1}' },
  { name: "neighbours at the end", body: '{"a":1,"b":2,"c":3}', drop: ["b", "c"], left: '{"a":1}' },
  { name: "all", body: ' { "a" : 1 } ', drop: ["a"], left: "{}" },
  {
    name: "one whose name holds a quote",
    body: '{"a\\"":1,"b\\\\":[",",{}]}',
    drop: ['a"'],
    left: '{"b\\\\":[",",{}]}',
  },
  { name: "one whose name is written with escapes", body: '{"\\u0061":1,"b":2}', drop: ["a"], left: '{"b":2}' },
])("leaves out $name", ({ body, drop, left }) => {
  expect(reshapeMembers(Buffer.from(body), { drop: new Set(drop) }).toString()).toBe(left);
});

test("keeps what stays as it was written", () => {
  const body = Buffer.from('{"seed":12345678901234567890, "user":"u", "temperature" : 1.0,"x":"\\u00e9"}');
  expect(reshapeMembers(body, { drop: new Set(["user"]) }).toString()).toBe(
    '{"seed":12345678901234567890,"temperature" : 1.0,"x":"\\u00e9"}',
  );
});

test("is the same buffer when there is nothing to leave out", () => {
  const body = Buffer.from('{"a":{"user":1}}');
  expect(reshapeMembers(body, { drop: new Set(["user"]) })).toBe(body);
  expect(reshapeMembers(body, { drop: new Set() })).toBe(body);
});

test("leaves what a parser would leave, of any document", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 4 }).filter((text) => text !== "__proto__");
  const document = fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true });
  fc.assert(
    fc.property(document, fc.array(fc.nat()), fc.nat({ max: 3 }), (value, picks, indent) => {
      const names = Object.keys(value);
      const drop = new Set(picks.map((pick) => names[pick % Math.max(1, names.length)] ?? ""));
      const expected = Object.entries(value).filter(([key]) => !drop.has(key));
      const left: unknown = JSON.parse(
        reshapeMembers(Buffer.from(JSON.stringify(value, null, indent)), { drop }).toString(),
      );
      expect(JSON.stringify(left)).toBe(JSON.stringify(Object.fromEntries(expected)));
    }),
  );
});

test.each([
  {
    name: "under its new name",
    body: '{"seed": 12345678901234567890,"b":2}',
    left: '{"random_seed":12345678901234567890,"b":2}',
  },
  { name: "once, where the new name is there too", body: '{"seed":1,"random_seed":2}', left: '{"random_seed":2}' },
  { name: "not at all, where the new name is dropped", body: '{"b":1,"old":2}', left: '{"b":1}' },
])("tells a member $name", ({ body, left }) => {
  const rename = new Map([
    ["seed", "random_seed"],
    ["old", "gone"],
  ]);
  expect(reshapeMembers(Buffer.from(body), { rename, drop: new Set(["gone"]) }).toString()).toBe(left);
});
