import { z } from "zod";
import { GatewayError } from "../kernel/errors.ts";
import type { LinearRegex } from "../kernel/safe-regex.ts";
import { linearRegex } from "../kernel/safe-regex.ts";
import type { GuardrailPhase, SpanEdit, TextSpan, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, judgedTogether, longerThanHeld, phasesMember } from "./held-whole.ts";

const patternSchema = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(2_000)
    .meta({ title: "Pattern", description: "RE2 syntax; it must not match nothing." }),
  action: z
    .enum(["deny", "redact"])
    .default("deny")
    .meta({ title: "Action", description: "Refuse the message, or replace what matches." }),
  replacement: z
    .string()
    .max(200)
    .default("[redacted]")
    .meta({ title: "Replacement", description: "Stands in place of a redacted match; literal." }),
  label: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .meta({ title: "Label", description: "Names the pattern in the log; its number when absent." }),
});

const windowSchema = z
  .strictObject({
    size: z
      .int()
      .min(2)
      .max(100_000)
      .default(512)
      .meta({ title: "Size", description: "Characters of a stream that are held back before they are judged." }),
    overlap: z.int().min(1).max(50_000).default(128).meta({
      title: "Overlap",
      description: "The longest match, in characters, that is found wherever a stream is cut.",
    }),
  })
  .refine(({ size, overlap }) => overlap < size, { message: "must be less than the size", path: ["overlap"] })
  .prefault({});

const requiredSchema = patternSchema.pick({ pattern: true, label: true });

const members = z.strictObject({
  patterns: z.array(patternSchema).max(200).default([]).meta({
    title: "Patterns",
    description: "What a message must not hold: each is refused or replaced.",
  }),
  mustMatch: z.array(requiredSchema).max(50).default([]).meta({
    title: "Must match",
    description:
      "What a message must hold, each of them: a request in any of its texts, an answer in each. A streamed answer is held back whole for it.",
  }),
  ignoreCase: z.boolean().default(false).meta({ title: "Ignore case", description: "Whether `A` matches `a`." }),
  phases: phasesMember.default(["request", "response"]),
  maxCharacters: heldWholeMember.meta({
    title: "Most characters",
    description: "Only with `mustMatch`: longer texts are refused unread, and streams are held back up to this.",
  }),
  window: windowSchema.meta({
    title: "Window",
    description: "For streamed answers. There `^` and `$` also match at the borders of a window.",
  }),
});

const config = members.refine(({ patterns, mustMatch }) => patterns.length + mustMatch.length > 0, {
  message: "give a pattern here or in `mustMatch`",
  path: ["patterns"],
});

/**
 * Looks for patterns in all texts of a message: refuses it, redacts them, or refuses a message that lacks one. The engine's time is linear in the
 * text whatever the pattern (RE2). Where redacted matches overlap, all of them go, replaced once.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export const regex = defineGuardrail({
  id: "regex",
  title: "Regular expressions",
  summary: "Refuses messages that match a pattern or do not, or redacts what matches.",
  config,
  examples: [
    { patterns: [{ pattern: "\\b\\d{3}-\\d{2}-\\d{4}\\b", action: "redact", replacement: "[ssn]", label: "us-ssn" }] },
    { patterns: [{ pattern: "project (aurora|borealis)" }], ignoreCase: true, phases: ["request"] },
    { mustMatch: [{ pattern: "^\\s*ticket [A-Z]+-\\d+", label: "ticket" }], phases: ["request"] },
  ],
  onError: "deny",
  isPure: true,
  compile({ patterns, mustMatch, ignoreCase, phases, maxCharacters, window }) {
    const rules = patterns.map((entry, index) => ({
      regex: compilePattern(entry.pattern, ignoreCase),
      replacement: entry.replacement,
      action: entry.action,
      detail: `pattern ${entry.label ?? index}`,
    }));
    const denies = rules.filter(({ action }) => action === "deny");
    const redacts = rules.filter(({ action }) => action === "redact");
    const required = mustMatch.map(({ pattern, label }, index) => ({
      regex: compilePattern(pattern, ignoreCase),
      detail: `no match of ${label ?? `mustMatch ${index}`}`,
    }));
    const judgesWhole = required.length > 0;
    return {
      phases,
      window: judgesWhole ? heldWhole(maxCharacters) : window,
      inspect(spans, phase) {
        if (judgesWhole) {
          const messages = judgedTogether(spans, phase);
          const lacking = longerThanHeld(messages.flat(), maxCharacters, phase) ?? findLack(messages, phase, required);
          if (lacking !== undefined) return lacking;
        }
        const denied = denies.find((rule) => spans.some(({ text }) => rule.regex.test(text)));
        if (denied !== undefined) return refusal(`The ${phase} holds text that is not permitted here.`, denied.detail);
        return redact(spans, redacts);
      },
    };
  },
});

type Required = Pick<Rule, "regex" | "detail">;

function findLack(
  messages: readonly (readonly string[])[],
  phase: GuardrailPhase,
  required: readonly Required[],
): Verdict | undefined {
  const first = required.find(({ regex: wanted }) =>
    messages.some((texts) => !texts.some((text) => wanted.test(text))),
  );
  return first && refusal(`The ${phase} lacks text that is required here.`, first.detail);
}

function refusal(reason: string, detail: string): Verdict {
  return { type: "deny", reason, detail, assessment: { found: detail } };
}

interface Rule {
  readonly regex: LinearRegex;
  readonly replacement: string;
  readonly detail: string;
}

function compilePattern(pattern: string, ignoreCase: boolean): LinearRegex {
  const compiled = linearRegex(pattern, { ignoreCase });
  if (!compiled.test("")) return compiled;
  throw new GatewayError(
    "resource.invalid",
    `The pattern ${pattern} matches the empty text, so it matches everywhere.`,
  );
}

function redact(spans: readonly TextSpan[], rules: readonly Rule[]): Verdict {
  const edits: SpanEdit[] = [];
  const found = new Set<string>();
  for (const [span, { text }] of spans.entries()) {
    const matches = rules.flatMap((rule) => rule.regex.findAll(text).map(([start, end]) => ({ start, end, rule })));
    matches.sort((left, right) => left.start - right.start); // stable: of those that start together the first rule's
    let open: { span: number; start: number; end: number; replacement: string } | undefined;
    for (const { start, end, rule } of matches) {
      found.add(rule.detail);
      if (open !== undefined && start < open.end) {
        open.end = Math.max(open.end, end);
        continue;
      }
      open = { span, start, end, replacement: rule.replacement };
      edits.push(open);
    }
  }
  return edits.length === 0 ? { type: "pass" } : { type: "rewrite", edits, detail: [...found].join(", ") };
}
