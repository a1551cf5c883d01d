import fc from "fast-check";
import { expect, test } from "vitest";
import { compileSingularPath } from "../../src/kernel/singular-path.ts";

const body = {
  model: "m",
  messages: [{ role: "system" }, { role: "user", content: "hi" }],
  "a b": { "c.d": 1 },
  no: null,
};

test.each([
  ["$", body],
  ["$.model", "m"],
  ["$.messages[0].role", "system"],
  ["$.messages[-1].content", "hi"],
  ["$['a b'][\"c.d\"]", 1],
  ["$.no", null],
  ["$.no.more", undefined],
  ["$.messages[7].role", undefined],
  ["$.messages.length", undefined],
  ["$.model[0]", undefined],
  ["$.constructor", undefined],
  ["$.__proto__.x", undefined],
])("%s leads to its place or to nothing", (path, found) => {
  expect(compileSingularPath(path)(body)).toEqual(found);
});

test.each([
  "",
  "model",
  "$.",
  "$..role",
  "$.messages[*]",
  "$[?@.a]",
  "$.a[1",
  "$.a[01]",
  "$['a",
  `$${".a".repeat(33)}`,
  "$.a b",
])("%s is refused", (path) => {
  expect(() => compileSingularPath(path)).toThrow("is no path to one place");
});

test("a member of any name without a quote in it is found by its quoted name", () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 50 }).filter((name) => !/['\\]/.test(name) && name !== "__proto__"),
      (name) => {
        expect(compileSingularPath(`$['${name}']`)({ [name]: 7 })).toBe(7);
      },
    ),
  );
});
