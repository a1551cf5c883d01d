import { describe, expect, test } from "vitest";
import type { SpanSelectionSpec } from "../../src/core/guardrail-options.ts";
import type { FieldIssue } from "../../src/kernel/errors.ts";
import type { SpanFacts } from "../../src/pipeline/adapter.ts";
import type { TextSpan } from "../../src/pipeline/define-guardrail.ts";
import { compileSelection, editsOfAll } from "../../src/pipeline/select-spans.ts";

const document = {
  system: "be kind",
  messages: [
    { role: "user", content: "one" },
    { role: "assistant", content: "uno" },
    { role: "user", content: "two" },
    { role: "user", content: [{ text: "three" }] },
    { role: "tool", content: "four" },
    { role: "user", content: "five" },
  ],
};

const spans: readonly TextSpan[] = [
  ...document.messages.map(({ role, content }, at): TextSpan => {
    const isList = typeof content !== "string";
    return {
      place: `messages[${at}].content`,
      text: isList ? (content[0]?.text ?? "") : content,
      author: role as TextSpan["author"], // the roles above
      path: ["messages", at, "content", ...(isList ? [0, "text"] : [])],
    };
  }),
  { place: "system", text: "be kind", author: "system", path: ["system"] },
];

const facts: SpanFacts = {
  authors: { request: ["system", "user", "assistant", "tool"], response: ["assistant"] },
  hasTurns: true,
  hasResults: false,
  document: () => document,
};

function chosen(request: NonNullable<SpanSelectionSpec["request"]>): readonly string[] {
  const { selection, issues } = compiled({ request });
  expect(issues).toEqual([]);
  return (selection.request?.(spans, () => document) ?? []).map(({ text }) => text);
}

function compiled(spec: SpanSelectionSpec, of: SpanFacts | undefined = facts) {
  const issues: FieldIssue[] = [];
  const selection = compileSelection(spec, ["request", "response"], of, (issue) => issues.push(issue));
  return { selection, issues };
}

describe("of a request", () => {
  test.each<{ name: string; spec: NonNullable<SpanSelectionSpec["request"]>; texts: readonly string[] }>([
    { name: "the texts of some authors", spec: { authors: ["system", "tool"] }, texts: ["four", "be kind"] },
    { name: "the user's last turn", spec: { turns: "last" }, texts: ["five"] },
    { name: "the user's last turns, those side by side as one", spec: { turns: 2 }, texts: ["two", "three", "five"] },
    { name: "more turns than there are", spec: { turns: 50 }, texts: ["one", "two", "three", "five"] },
    { name: "places by globs", spec: { places: ["messages[[]*", "sys*"] }, texts: ["be kind"] },
    { name: "places by several globs", spec: { places: ["messages[1]*", "system"] }, texts: ["uno", "be kind"] },
    { name: "what a query finds", spec: { jsonPath: "$.messages[-1].content" }, texts: ["five"] },
    { name: "what stands below what a query finds", spec: { jsonPath: "$.messages[3]" }, texts: ["three"] },
    { name: "everything below the root", spec: { jsonPath: "$" }, texts: spans.map(({ text }) => text) },
    { name: "what meets all conditions", spec: { turns: 2, jsonPath: "$.messages[:3]" }, texts: ["two"] },
    { name: "nothing where nothing is found", spec: { jsonPath: "$.input" }, texts: [] },
  ])("are chosen: $name", ({ spec, texts }) => {
    expect(chosen(spec)).toEqual(texts);
  });

  test("those are judged that a query cannot be asked about", () => {
    const { selection } = compiled({ request: { jsonPath: "$..a" } });
    const deep: { below?: unknown } = {};
    let at = deep;
    for (let level = 0; level < 2_000; level += 1) at = at.below = {};
    expect(selection.request?.(spans, () => deep)).toEqual(spans);
  });
});

test("edits of chosen texts land where those stand", () => {
  const chose = compiled({ request: { authors: ["tool"] } }).selection.request?.(spans, () => document) ?? [];
  const edit = { span: 0, start: 0, end: 4, replacement: "4" };
  expect(editsOfAll([edit], chose, spans)).toEqual([{ ...edit, span: 4 }]);
  expect(editsOfAll([edit], spans, spans)).toEqual([edit]);
});

describe("is refused at publish", () => {
  test.each<{ name: string; spec: SpanSelectionSpec; path: string; of?: SpanFacts }>([
    {
      name: "an author who writes nothing there",
      spec: { request: { authors: ["unknown"] } },
      path: "request.authors",
    },
    { name: "turns of others", spec: { request: { turns: 1, authors: ["tool"] } }, path: "request.turns" },
    {
      name: "turns where nobody takes turns",
      spec: { request: { turns: 1 } },
      path: "request.turns",
      of: { ...facts, hasTurns: false },
    },
    { name: "a query that is none", spec: { response: { jsonPath: "$[" } }, path: "response.jsonPath" },
  ])("$name", ({ spec, path, of }) => {
    expect(compiled(spec, of).issues).toMatchObject([{ path }]);
  });

  test("a selection in a phase that the guardrail does not look at", () => {
    const issues: FieldIssue[] = [];
    compileSelection({ response: { places: ["*"] } }, ["request"], facts, (issue) => issues.push(issue));
    expect(issues).toMatchObject([{ path: "response" }]);
  });

  test("only what holds everywhere, where the kind of API is not known", () => {
    const issues: FieldIssue[] = [];
    const spec = { request: { authors: ["unknown" as const], turns: 1 } };
    compileSelection(spec, ["request"], undefined, (issue) => issues.push(issue));
    expect(issues).toMatchObject([{ path: "request.turns" }]);
  });
});
