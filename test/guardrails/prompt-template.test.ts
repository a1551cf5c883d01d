import fc from "fast-check";
import { expect, test } from "vitest";
import { promptTemplate } from "../../src/guardrails/prompt-template.ts";
import type { TextSpan } from "../../src/pipeline/define-guardrail.ts";
import { buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { edited } from "../kit/text-adapter.ts";

const templates = [
  { name: "translate", prompt: "Translate into [[to]]: [[text]]. In [[to]]!" },
  { name: "daily_news-2", prompt: "The news, please." },
];

test.each([
  {
    name: "with its values",
    text: "template://translate?to=German&text=Good%20day",
    filled: "Translate into German: Good day. In German!",
  },
  {
    name: "in the midst of a text",
    text: 'do "template://translate?to=a&text=b" now',
    filled: 'do "Translate into a: b. In a!" now',
  },
  { name: "without values", text: "template://daily_news-2", filled: "The news, please." },
  { name: "with values that it does not ask for", text: "template://daily_news-2?a=b", filled: "The news, please." },
  {
    name: "twice",
    text: "template://daily_news-2 template://daily_news-2?",
    filled: "The news, please. The news, please.",
  },
  { name: "with an empty value", text: "template://translate?to=&text", filled: "Translate into : . In !" },
  {
    name: "with values that look like placeholders",
    text: "template://translate?to=[[text]]&text=$1",
    filled: "Translate into [[text]]: $1. In [[text]]!",
  },
  {
    name: "with values that look like templates",
    text: "template://translate?to=template://daily_news-2&text=x",
    filled: "Translate into template://daily_news-2: x. In template://daily_news-2!",
  },
  {
    name: "with quotation marks and lines' ends",
    text: "template://translate?to=%22%0A&text=%5C",
    filled: 'Translate into "\n: \\. In "\n!',
  },
  {
    name: "with letters from right to left",
    text: `template://translate?to=${encodeURIComponent("שלום")}&text=x`,
    filled: "Translate into שלום: x. In שלום!",
  },
])("a template is filled in $name", ({ text, filled }) => {
  expect(fill({}, text)).toBe(filled);
});

test.each([
  { name: "no template of that name", text: "template://none?a=b" },
  { name: "a value that is missing", text: "template://translate?to=German" },
  { name: "no value at all", text: "template://translate" },
  { name: "a value twice", text: "template://translate?to=a&to=b&text=c" },
  { name: "a value that is wrongly encoded", text: "template://translate?to=%E0%A4&text=c" },
  { name: "too many uses", text: "template://daily_news-2 ".repeat(11) },
])("a request is refused with $name", ({ text }) => {
  expect(inspect({}, text)).toMatchObject({ type: "deny" });
});

test("an unknown template may be left as it is", () => {
  expect(inspect({ unknown: "leave" }, "template://none?a=b")).toEqual({ type: "pass" });
  expect(fill({ unknown: "leave" }, "template://none template://daily_news-2")).toBe(
    "template://none The news, please.",
  );
});

test("texts of tools and models are left as they are", () => {
  const spans = (["assistant", "tool"] as const).map((author): TextSpan => span("template://none", author));
  expect(compile({}).inspect(spans, "request", guardedCall())).toEqual({ type: "pass" });
});

test("whatever a value is, it stands in the prompt as it was given", () => {
  const guardrail = compile({});
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed()),
      (value) => {
        const text = `template://translate?to=x&text=${encodeURIComponent(value).replaceAll("'", "%27")}`;
        const verdict = guardrail.inspect([span(text)], "request", guardedCall());
        const filled = edited(text, "edits" in verdict ? verdict.edits : []);
        expect(filled).toBe(`Translate into x: ${value}. In x!`);
      },
    ),
  );
});

test.each([
  { templates: [] },
  { templates: [{ name: "a b", prompt: "x" }] },
  { templates: [templates[1], templates[1]] },
])("the configuration %j is refused", (config) => {
  expect(promptTemplate.config.safeParse(config).success).toBe(false);
});

function span(text: string, author: TextSpan["author"] = "user"): TextSpan {
  return { place: "messages[0].content", text, author };
}

function compile(config: object) {
  return promptTemplate.compile(promptTemplate.config.parse({ templates, ...config }), buildTools());
}

function inspect(config: object, text: string) {
  return compile(config).inspect([span(text)], "request", guardedCall());
}

function fill(config: object, text: string): string {
  const verdict = inspect(config, text);
  return edited(text, "edits" in verdict ? verdict.edits : []);
}
