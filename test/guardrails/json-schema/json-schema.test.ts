import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonSchema } from "../../../src/guardrails/json-schema/json-schema.ts";
import type { GuardrailPhase } from "../../../src/pipeline/define-guardrail.ts";
import { attach, buildTools } from "../../kit/exchange.ts";
import { guardedCall } from "../../kit/guarded-call.ts";
import { collect, cutsOf } from "../../kit/stream-guards.ts";

const answer = {
  type: "object",
  required: ["answer"],
  properties: { answer: { type: "object", properties: { text: { type: "string" } }, required: ["text"] } },
};
const good = '{"answer":{"text":"yes"}}';
const bad = '{"answer":"yes"}';

describe("an answer", () => {
  test.each([
    { name: "with a nested object that fits passes", texts: [`Here: ${good}.`], config: {}, passes: true },
    { name: "whose object does not fit is refused", texts: [bad], config: {}, passes: false },
    { name: "with one of several that fits passes", texts: [`${bad} ${good}`], config: {}, passes: true },
    { name: "whose first has to fit is refused", texts: [`${bad} ${good}`], config: { match: "first" }, passes: false },
    { name: "whose first fits passes", texts: [`${good} ${bad}`], config: { match: "first" }, passes: true },
    { name: "of which all have to fit is refused", texts: [`${good} ${bad}`], config: { match: "all" }, passes: false },
    { name: "of which all fit passes", texts: [`${good} ${good}`], config: { match: "all" }, passes: true },
    { name: "without JSON is refused", texts: ["yes"], config: {}, passes: false },
    { name: "without JSON passes where that is permitted", texts: ["yes"], config: { whenNone: "pass" }, passes: true },
    { name: "without text passes", texts: [""], config: {}, passes: true },
    { name: "is judged text by text", texts: [good, bad], config: {}, passes: false },
    { name: "that fits is refused when inverted", texts: [good], config: { invert: true }, passes: false },
    { name: "that does not fit passes when inverted", texts: [bad], config: { invert: true }, passes: true },
    { name: "without JSON passes when inverted", texts: ["yes"], config: { invert: true }, passes: true },
    {
      name: "in a fence is found",
      texts: [`x\n\`\`\`json\n${good}\n\`\`\``],
      config: { look: "fenced" },
      passes: true,
    },
    { name: "outside of a fence is not seen", texts: [good], config: { look: "fenced" }, passes: false },
    { name: "that is JSON as a whole passes", texts: [` ${good}\n`], config: { look: "whole" }, passes: true },
    {
      name: "with words around is not JSON as a whole",
      texts: [`x ${good}`],
      config: { look: "whole" },
      passes: false,
    },
    { name: "nested too deeply is refused", texts: [good], config: { maxDepth: 1 }, passes: false },
    {
      name: "with a member twice fits nothing",
      texts: ['{"answer":{"text":"a"},"answer":{"text":"b"}}'],
      config: {},
      passes: false,
    },
    {
      name: "with half a surrogate pair fits nothing",
      texts: ['{"answer":{"text":"\\ud800"}}'],
      config: {},
      passes: false,
    },
    { name: "with blanks that are none is not JSON", texts: [`{\u200b${good.slice(1)}`], config: {}, passes: false },
    { name: "from right to left is read", texts: [`{"answer":{"text":"שלום \u202e"}}`], config: {}, passes: true },
    { name: "with too many documents is refused", texts: ["{}".repeat(1_001) + good], config: {}, passes: false },
    { name: "that is longer than is read is refused", texts: [good], config: { maxCharacters: 10 }, passes: false },
  ])("$name", ({ texts, config, passes }) => {
    expect(inspect(config, texts, "response").type).toBe(passes ? "pass" : "deny");
  });

  test("may be a single value", () => {
    const judge = (text: string) => inspect({ schema: { type: "integer", minimum: 5 } }, [text], "response").type;
    expect([" 7\n", "3", '"7"', "seven", "7 apples"].map(judge)).toEqual(["pass", "deny", "deny", "deny", "deny"]);
  });

  test("is never quoted in the refusal, which names the schema's own place", () => {
    const verdict = inspect({}, ['{"answer":{"secret":1}}'], "response");
    expect(JSON.stringify(verdict)).not.toContain("secret");
    expect(verdict).toMatchObject({
      type: "deny",
      assessment: { documents: 1, fitting: 0, fault: "#/properties/answer/required" },
    });
  });
});

test("a request is judged over all its texts together", () => {
  expect(inspect({}, ["You answer in JSON.", good], "request")).toEqual({ type: "pass" });
  expect(inspect({ match: "all" }, [bad, good], "request")).toMatchObject({ type: "deny" });
});

test("an answer that is nothing but JSON gets the verdict that it has behind a word, be it plain, twofold, deep or broken", () => {
  const strange = ["", ",", "}", "]", "\\", "\\ud800", "\ud800", '"a":1,', '"a":', "1e999", "\u00a0", "{", "[[[["];
  const text = fc
    .tuple(
      fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())),
      fc.nat(),
      fc.constantFrom(...strange),
    )
    .map(([value, place, piece]) => {
      const json = JSON.stringify(value);
      const at = 1 + (place % (json.length - 1));
      return json.slice(0, at) + piece + json.slice(at);
    });
  const compiled = [
    { schema: { type: "object" } },
    { schema: { maxItems: 2, maxProperties: 2 }, match: "all", whenNone: "pass" },
    { schema: { items: { maxLength: 1 } }, match: "first", maxDepth: 2 },
  ].map(compile);
  fc.assert(
    fc.property(text, fc.constantFrom(...compiled), (json, guardrail) => {
      const judge = (said: string) =>
        guardrail.inspect([{ place: "text", text: said, author: "assistant" }], "response", guardedCall());
      expect(judge(` ${json}\n`)).toEqual(judge(`so ${json}`));
    }),
    { numRuns: 500 },
  );
});

test("a streamed answer gets the verdict of the whole one, however it is cut", async () => {
  const guardrail = compile({});
  const cut = fc.constantFrom(good, bad, `so ${good} it is`, `${bad} ${good}`, "none", '{"answer":{"text":"}{"}}');
  await fc.assert(
    fc.asyncProperty(
      cut.chain((text) => cutsOf(text).map((frames) => ({ text, frames }))),
      async ({ text, frames }) => {
        const { passed, error } = await collect(frames, [attach(guardrail)]);
        const whole = await guardrail.inspect(
          [{ place: "text", text, author: "assistant" }],
          "response",
          guardedCall(),
        );
        expect(passed.length === frames.length && error === undefined).toBe(whole.type === "pass");
      },
    ),
  );
});

describe("a schema", () => {
  test("is read by its draft", () => {
    const schema = { type: "array", items: [{ type: "string" }], additionalItems: false };
    expect(inspect({ schema, draft: "draft-07" }, ['["a"]'], "response").type).toBe("pass");
    expect(inspect({ schema, draft: "draft-07" }, ['["a","b"]'], "response").type).toBe("deny");
    const newer = { type: "array", prefixItems: [{ type: "string" }], items: false };
    expect(inspect({ schema: newer }, ['["a","b"]'], "response").type).toBe("deny");
  });

  test("may refer to places in itself, in circles too", () => {
    const schema = { $ref: "#/$defs/tree", $defs: { tree: { type: "array", items: { $ref: "#/$defs/tree" } } } };
    expect(inspect({ schema }, ["[[],[[]]]"], "response").type).toBe("pass");
    expect(inspect({ schema }, ["[[],[1]]"], "response").type).toBe("deny");
  });

  test("has each of its patterns judged by itself, on the linear engine", () => {
    const schema = { properties: { a: { pattern: "^(a+)+$" }, b: { pattern: "^b$" } } };
    const judge = (text: string) => inspect({ schema }, [text], "response").type;
    expect(judge('{"a":"aa","b":"b"}')).toBe("pass");
    expect(judge('{"a":"aa","b":"aa"}')).toBe("deny");
    expect(judge(JSON.stringify({ a: `${"a".repeat(50_000)}!` }))).toBe("deny");
  });

  test("compares what must be unique without comparing each with each", () => {
    const schema = { uniqueItems: true };
    const many = Array.from({ length: 20_000 }, (_, index) => ({ index, of: [index] }));
    expect(inspect({ schema }, [JSON.stringify(many)], "response").type).toBe("deny"); // longer than is read
    const longer = { schema, maxCharacters: 1_000_000 };
    expect(inspect(longer, [JSON.stringify(many)], "response").type).toBe("pass");
    expect(inspect(longer, [JSON.stringify([...many, { of: [0], index: 0 }])], "response").type).toBe("deny");
  }, 20_000);

  test("has formats that take no more time than the text is long", () => {
    const schema = { items: { format: "email" } };
    const startMs = performance.now();
    inspect({ schema }, [JSON.stringify([`a@${"a-".repeat(90_000)}`])], "response");
    expect(performance.now() - startMs).toBeLessThan(15_000);
    expect(inspect({ schema }, ['["ann@b.example"]'], "response").type).toBe("pass");
    expect(inspect({ schema }, ['["ann"]'], "response").type).toBe("deny");
  }, 20_000);

  test.each([
    ["leads to another document", { $ref: "https://schemas.example.com/a.json" }],
    ["leads nowhere", { $ref: "#/$defs/none" }],
    ["refers to itself only", { $ref: "#" }],
    ["is no schema", { type: "thing" }],
    ["has a pattern that is not RE2", { pattern: "(?=a)" }],
    ["is asynchronous", { $async: true }],
  ])("that %s is refused at publish", (_, schema) => {
    expect(() => compile({ schema })).toThrow("The schema cannot be used");
  });

  test("that is very large is refused", () => {
    expect(jsonSchema.config.safeParse({ schema: { enum: ["a".repeat(100_001)] } }).success).toBe(false);
  });
});

function compile(config: object) {
  return jsonSchema.compile(jsonSchema.config.parse({ schema: answer, ...config }), buildTools());
}

function inspect(config: object, texts: readonly string[], phase: GuardrailPhase): { readonly type: string } {
  const spans = texts.map((text, index) => ({ place: `texts[${index}]`, text, author: "assistant" as const }));
  const verdict = compile(config).inspect(spans, phase, guardedCall());
  if (verdict instanceof Promise) throw new TypeError("nothing is waited for");
  return verdict;
}
