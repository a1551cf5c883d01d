import { expect, test } from "vitest";
import { auditChanges } from "../../src/core/audit-changes.ts";

test.each([
  {
    name: "a value",
    before: { a: { b: 1 } },
    after: { a: { b: 2 } },
    changes: [{ path: "a.b", before: "1", after: "2" }],
  },
  { name: "a member more", before: {}, after: { a: "x" }, changes: [{ path: "a", after: '"x"' }] },
  { name: "a member less", before: { a: [1] }, after: {}, changes: [{ path: "a", before: "[1]" }] },
  {
    name: "an item",
    before: { a: [1, { w: 2 }] },
    after: { a: [1, { w: 3 }] },
    changes: [{ path: "a[1].w", before: "2", after: "3" }],
  },
  {
    name: "a longer list",
    before: { a: [1] },
    after: { a: [1, 2] },
    changes: [{ path: "a", before: "[1]", after: "[1,2]" }],
  },
  { name: "nothing but the order of members", before: { a: 1, b: 2 }, after: { b: 2, a: 1 }, changes: [] },
  {
    name: "where a secret is",
    before: { key: `\${sealed:isv_${"a".repeat(24)}}` },
    after: { key: `\${sealed:isv_${"b".repeat(24)}}` },
    changes: [{ path: "key", before: '"••••"', after: '"••••"' }],
  },
])("$name is told by its path", ({ before, after, changes }) => {
  expect(auditChanges(before, after)).toEqual({ changes });
});

test("is bounded, whatever changed", () => {
  const many = (text: string) =>
    Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`m${index}`, text.repeat(500)]));
  const { changes } = auditChanges(many("x"), many("y"));
  expect(changes).toHaveLength(20);
  expect(JSON.stringify(changes).length).toBeLessThan(10_000);
});

test("names of members that objects have by themselves are nothing special", () => {
  const after: unknown = JSON.parse('{"__proto__":{"x":1},"constructor":2}');
  expect(auditChanges({}, after).changes.map(({ path }) => path)).toEqual(["__proto__", "constructor"]);
});
