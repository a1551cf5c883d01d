import { expect, test } from "vitest";
import type { TextSpan } from "../../../src/pipeline/define-guardrail.ts";
import { findTaggedQuery, findTaggedTools } from "../../../src/policies/semantic-tool-filter/tagged-tools.ts";
import { edited } from "../../kit/text-adapter.ts";

const span = (text: string): TextSpan => ({ place: "messages[0].content", text, author: "user" });
const tool = (name: string, description: string): string =>
  `<toolname>${name}</toolname>\n<tooldescription>${description}</tooldescription>`;

test("tools stand in the texts of any turn, in order", () => {
  const spans = [span(`You have:\n${tool("book_flight", "Books a flight.")}\n${tool("pay", "")}`), span(tool("", ""))];
  const read = findTaggedTools(spans)?.read();
  expect(read?.map(({ name, facts }) => [name, facts?.description])).toEqual([
    ["book_flight", "Books a flight."],
    ["pay", ""],
    [undefined, undefined],
  ]);
});

test("those that are not kept go with their lines, and the others lose their tags", () => {
  const text = `You have:\n${tool("a", "First.")}\n${tool("b", "Second.")}\n\n${tool("c", "Third.")}\nChoose.`;
  const edits = findTaggedTools([span(text)])?.edits(new Set([0, 2])) ?? [];
  expect(edited(text, edits)).toBe("You have:\na: First.\nc: Third.\nChoose.");
});

test("the query is between its tags, which go", () => {
  const text = "Please: <userq>book me a flight</userq> now.";
  const query = findTaggedQuery([span("nothing"), span(text)]);
  expect(query?.text).toBe("book me a flight");
  expect(edited(text, query?.edits ?? [])).toBe("Please: book me a flight now.");
});

test.each([
  "<toolname>a</toolname>",
  "<toolname>a</toolname> and <tooldescription>b</tooldescription>",
  "<tooldescription>b</tooldescription><toolname>a</toolname>",
  "<toolname>a<tooldescription>b",
  "<userq>",
])("a text with half of the tags, %s, has no tools and no query", (text) => {
  expect(findTaggedTools([span(text)])).toBeUndefined();
  expect(findTaggedQuery([span(text)])).toBeUndefined();
});

test("texts of nothing but opening tags take time in their length", () => {
  const hostile = [span("<toolname>".repeat(100_000)), span(`${"<toolname>a</toolname>".repeat(50_000)}<userq>`)];
  const startedMs = performance.now();
  expect(findTaggedTools(hostile)).toBeUndefined();
  expect(findTaggedQuery(hostile)).toBeUndefined();
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});
