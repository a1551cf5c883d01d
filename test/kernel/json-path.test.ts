import { describe, expect, test } from "vitest";
import { compileJsonPath } from "../../src/kernel/json-path.ts";

const chat = {
  model: "m",
  messages: [
    { role: "system", content: "be kind" },
    { role: "user", content: [{ type: "text", text: "one" }] },
    { role: "user", content: "two" },
  ],
};

describe("a query", () => {
  test.each([
    ["$.messages[-1].content", ["messages.2.content"]],
    ["$.messages[?@.role == 'user'].content", ["messages.1.content", "messages.2.content"]],
    ["$.messages[?@.role == $.messages[-1].role].role", ["messages.1.role", "messages.2.role"]],
    ["$.messages[?match(@.role, 'us..')].role", ["messages.1.role", "messages.2.role"]],
    ["$.messages[?search(@.content, 'w+o')].content", ["messages.2.content"]],
    ["$..text", ["messages.1.content.0.text"]],
    ["$['model','messages'][-1].role", ["messages.2.role"]],
    ["$.nothing", []],
  ])("%s finds its values by where they stand", (query, expected) => {
    expect(
      compileJsonPath(query)
        .locate(chat)
        .map((path) => path.join(".")),
    ).toEqual(expected);
  });

  test("`match` is for the whole text and `search` for a piece of it", () => {
    expect(compileJsonPath("$[?match(@, 'b')]").locate(["b", "abc"])).toEqual([[0]]);
    expect(compileJsonPath("$[?search(@, 'b')]").locate(["b", "abc"])).toEqual([[0], [1]]);
  });

  test("takes linear time for a pattern that backtracks elsewhere", () => {
    const query = compileJsonPath("$[?match(@, '(a+)+')]");
    const started = performance.now();
    expect(query.locate([`${"a".repeat(50_000)}!`])).toEqual([]);
    expect(performance.now() - started).toBeLessThan(5_000); // where a backtracking engine needs longer than the universe
  });

  test.each([
    ["no query at all", "messages[0]"],
    ["an unknown function", "$[?exec(@.a)]"],
    ["two descents", "$..a..b"],
    ["a descent in a filter", "$.a[?@..b]"],
    ["a filter that looks through everything for each member", "$.a[?$.b[*]]"],
    ["lists in two places", "$['a','b']['c','d']"],
    ["lists in two places, one of them in a filter", "$['a','b'][?@['c','d']]"],
    ["a list that is too long", `$[${Array.from({ length: 17 }, (_, at) => at).join(",")}]`],
    ["a pattern that is not written out", "$[?match(@.a, @.b)]"],
    ["a pattern that is not RE2", "$[?match(@.a, '(?=b)')]"],
  ])("is refused: %s", (_name, query) => {
    expect(() => compileJsonPath(query)).toThrowError(expect.objectContaining({ code: "resource.invalid" }));
  });
});
