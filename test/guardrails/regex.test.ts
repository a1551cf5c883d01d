import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { regex } from "../../src/guardrails/regex.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { TextSpan } from "../../src/pipeline/define-guardrail.ts";
import { attach, buildTools } from "../kit/exchange.ts";
import { guardedCall } from "../kit/guarded-call.ts";
import { collect, cutsOf } from "../kit/stream-guards.ts";
import { edited, textOf } from "../kit/text-adapter.ts";

describe("a pattern that denies", () => {
  test("refuses a message in whichever of its texts it matches, and quotes neither pattern nor text", () => {
    const verdict = inspect({ patterns: [{ pattern: "aurora" }, { pattern: "bor.*lis", label: "codename" }] }, [
      "you are kind",
      "about borealis",
    ]);
    expect(verdict).toEqual({
      type: "deny",
      reason: "The request holds text that is not permitted here.",
      detail: "pattern codename",
      assessment: { found: "pattern codename" },
    });
  });

  test("is named by its number when it has no label", () => {
    expect(inspect({ patterns: [{ pattern: "x" }, { pattern: "aurora" }] }, ["aurora"])).toMatchObject({
      detail: "pattern 1",
    });
  });

  test("wins over one that redacts", () => {
    const patterns = [{ pattern: "a", action: "redact" }, { pattern: "b" }];
    expect(inspect({ patterns }, ["ab"])).toMatchObject({ type: "deny" });
  });

  test("heeds case unless told not to", () => {
    expect(inspect({ patterns: [{ pattern: "aurora" }] }, ["AURORA"])).toEqual({ type: "pass" });
    expect(inspect({ patterns: [{ pattern: "aurora" }], ignoreCase: true }, ["AURORA"])).toMatchObject({
      type: "deny",
    });
  });
});

describe("a pattern that redacts", () => {
  test("replaces every match by its literal replacement, in every text", () => {
    const patterns = [
      { pattern: "\\d{3}-\\d{2}-\\d{4}", action: "redact", replacement: "$1" },
      { pattern: "[a-z]+@[a-z.]+", action: "redact" },
    ];
    const texts = ["123-45-6789 or 987-65-4321", "mail ann@b.example"];
    expect(redacted({ patterns }, texts)).toEqual(["$1 or $1", "mail [redacted]"]);
  });

  test("leaves nothing of matches that overlap, replaced once by the first one's", () => {
    const patterns = [
      { pattern: "cde", action: "redact", replacement: "2" },
      { pattern: "abc", action: "redact", replacement: "1" },
      { pattern: "ef", action: "redact", replacement: "3" },
    ];
    expect(redacted({ patterns }, ["xabcdefx abc|cde"])).toEqual(["x1x 1|2"]);
  });

  test("leaves no match of any of its patterns that was there, whatever they are", () => {
    const pattern = fc.array(fc.constantFrom("a", "b", "c", "a+", "[ab]", "bc?"), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 4 }),
        fc.string({ unit: fc.constantFrom("a", "b", "c", "d"), maxLength: 40 }),
        (list, text) => {
          const patterns = list.map((parts) => ({ pattern: parts.join(""), action: "redact", replacement: "#" }));
          const covered = Array.from({ length: text.length }, () => false);
          for (const { pattern: source } of patterns) {
            for (const match of text.matchAll(new RegExp(source, "g"))) {
              covered.fill(true, match.index, match.index + match[0].length);
            }
          }
          const kept = Array.from(text).filter((_, index) => covered[index] === false);
          expect(redacted({ patterns }, [text])[0]?.replaceAll("#", "")).toBe(kept.join(""));
        },
      ),
    );
  });

  test("hides a number in a stream however it is cut", async () => {
    const text = "Her number is 123-45-6789, his is 987-65-4321; not 123-45-67890. ".repeat(4);
    const config = regex.config.parse({
      patterns: [{ pattern: "\\b\\d{3}-\\d{2}-\\d{4}\\b", action: "redact", replacement: "[ssn]" }],
      window: { size: 48, overlap: 24 },
    });
    await fc.assert(
      fc.asyncProperty(cutsOf(text), async (frames) => {
        const { passed } = await collect(frames, [attach(regex.compile(config, buildTools()))]);
        expect(textOf(passed)).toBe(text.replace(/\b\d{3}-\d{2}-\d{4}\b/g, "[ssn]"));
      }),
      { numRuns: 50 },
    );
  });
});

describe("a pattern that must match", () => {
  const ticket = { mustMatch: [{ pattern: "[A-Z]{2,9}-\\d+", label: "ticket" }] };

  test("passes a request that holds it in any of its texts, and refuses one that does not", () => {
    expect(inspect(ticket, ["be brief", "on AB-12: why?"])).toEqual({ type: "pass" });
    expect(inspect(ticket, ["be brief", "why?"])).toMatchObject({ type: "deny", detail: "no match of ticket" });
  });

  test("is each of several, beside what must not match", () => {
    const both = { mustMatch: [{ pattern: "a" }, { pattern: "b" }], patterns: [{ pattern: "c" }] };
    expect(inspect(both, ["a b"])).toEqual({ type: "pass" });
    expect(inspect(both, ["a"])).toMatchObject({ detail: "no match of mustMatch 1" });
    expect(inspect(both, ["abc"])).toMatchObject({ detail: "pattern 0" });
  });

  test("is asked of each text of an answer, and of what is longer than is read nothing", () => {
    const guardrail = compile({ ...ticket, maxCharacters: 20 });
    const judge = (...texts: string[]) => guardrail.inspect(spansOf(texts), "response", guardedCall());
    expect(judge("AB-1", "CD-2")).toEqual({ type: "pass" });
    expect(judge("AB-1", "none")).toMatchObject({ type: "deny" });
    expect(judge("AB-1 and so on and on and on")).toMatchObject({ reason: "The response is too long." });
  });

  test("gives a stream the verdict of the whole answer, however it is cut, and redacts as well", async () => {
    const config = { ...ticket, patterns: [{ pattern: "secret", action: "redact" }] };
    await fc.assert(
      fc.asyncProperty(
        fc
          .constantFrom("It is a secret, see AB-12.", "AB-12 is secret", "It is a secret")
          .chain((text) => cutsOf(text).map((frames) => ({ text, frames }))),
        async ({ text, frames }) => {
          const { passed, error } = await collect(frames, [attach(compile(config))]);
          const holds = text.includes("AB-12");
          expect(error === undefined).toBe(holds);
          expect(textOf(passed)).toBe(holds ? text.replace("secret", "[redacted]") : "");
        },
      ),
    );
  });
});

describe("publishing is refused", () => {
  test.each(["a*", "(x|)", "^", "\\b|a?"])("for %s, which matches the empty text", (pattern) => {
    expect(() => compile({ patterns: [{ pattern }] })).toThrow("matches the empty text");
  });

  test.each(["(", "(?=a)", "(a)\\1", "((a{100}){100}){100}"])("for %s, which is not RE2", (pattern) => {
    expect(() => compile({ patterns: [{ pattern }] })).toThrow(GatewayError);
  });

  test.each([
    { patterns: [] },
    { patterns: [{ pattern: "a" }], window: { size: 10, overlap: 10 } },
    { patterns: [{ pattern: "a".repeat(2_001) }] },
    { patterns: [{ pattern: "a" }], phases: [] },
  ])("for the configuration $phases $window", (config) => {
    expect(regex.config.safeParse(config).success).toBe(false);
  });
});

test("a hostile pattern takes time that grows with the text only", () => {
  const guardrail = compile({ patterns: [{ pattern: "^(a+)+$" }] });
  expect(guardrail.inspect(spansOf(["a".repeat(50_000) + "!"]), "request", guardedCall())).toEqual({ type: "pass" });
});

function compile(config: object) {
  return regex.compile(regex.config.parse(config), buildTools());
}

function inspect(config: object, texts: readonly string[]) {
  return compile(config).inspect(spansOf(texts), "request", guardedCall());
}

function redacted(config: object, texts: readonly string[]): string[] {
  const verdict = inspect(config, texts);
  const edits = "edits" in verdict ? verdict.edits : [];
  return texts.map((text, span) =>
    edited(
      text,
      edits.filter((edit) => edit.span === span),
    ),
  );
}

function spansOf(texts: readonly string[]): TextSpan[] {
  return texts.map((text, index) => ({ place: `messages[${index}].content`, text, author: "user" }));
}
