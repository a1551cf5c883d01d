import fc from "fast-check";
import { expect, test } from "vitest";
import { secretReferences } from "../../src/core/references.ts";

test.each([
  { name: "a whole string", spec: { key: "${secret:a}" }, found: [{ name: "a", path: "spec.key" }] },
  { name: "inside of a string", spec: ["Bearer ${secret:a-b}!"], found: [{ name: "a-b", path: "spec[0]" }] },
  { name: "twice in one string", spec: { k: "${secret:a}${secret:a}" }, found: [{ name: "a", path: "spec.k" }] },
  {
    name: "two in one string",
    spec: { k: "${secret:a}:${secret:b}" },
    found: [
      { name: "a", path: "spec.k" },
      { name: "b", path: "spec.k" },
    ],
  },
  { name: "not of a name that cannot be", spec: { k: "${secret:A_b} ${secret:} $secret:a ${secrets:a}" }, found: [] },
  { name: "nothing in numbers and null", spec: { a: 1, b: null, c: true }, found: [] },
])("secrets are found: $name", ({ spec, found }) => {
  expect(secretReferences(spec)).toEqual(found);
});

test("a reference is found wherever it stands", () => {
  const reference = "${secret:needle}";
  const place = fc.letrec((tie) => ({
    spec: fc.oneof(
      fc.constant<unknown>(reference),
      fc.tuple(fc.string(), tie("spec")).map(([key, value]) => ({ [key]: value })),
      fc.array(fc.jsonValue(), { maxLength: 3 }).chain((others) => tie("spec").map((value) => [...others, value])),
    ),
  })).spec;
  fc.assert(
    fc.property(place, (spec) => {
      expect(secretReferences(spec).map(({ name }) => name)).toContain("needle");
    }),
  );
});
