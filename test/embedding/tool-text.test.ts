import fc from "fast-check";
import { expect, test } from "vitest";
import { toolText } from "../../src/embedding/tool-text.ts";

test("a word of the name counts twice, one of the parameters half", () => {
  const { stems } = toolText({
    name: "searchIssues",
    server: "github",
    description: "Find issues",
    parameters: {
      type: "object",
      properties: { query: { type: "string", description: "Words", enum: ["open"] } },
    },
  });
  expect(Object.fromEntries(stems)).toEqual({
    search: 2,
    issu: 3,
    github: 1,
    find: 1,
    queri: 0.5,
    word: 0.5,
    open: 0.5,
  });
});

test("its meaning is of server, name, title and description, in this order", () => {
  const tool = { name: "a", title: "b", description: "c", server: "d", parameters: { properties: { e: {} } } };
  expect(toolText(tool).meaning).toBe("d a b c");
});

test("parameters inside of others are found, to a depth", () => {
  const nested = { properties: { outer: { anyOf: [{ items: { properties: { inner: { title: "Deep" } } } }] } } };
  expect([...toolText({ name: "", parameters: nested }).stems.keys()]).toEqual(["outer", "inner", "deep"]);
});

test("a schema of any size is read to a bound", () => {
  const properties = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`field${at}`, {}]));
  expect(toolText({ name: "", parameters: { properties } }).stems.size).toBeLessThanOrEqual(256);
});

test("whatever stands where the schema is expected does no harm", () => {
  fc.assert(
    fc.property(fc.anything(), (parameters) => {
      expect(toolText({ name: "send", parameters }).stems.get("send")).toBeGreaterThanOrEqual(2);
    }),
  );
});
