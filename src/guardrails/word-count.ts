import { z } from "zod";
import type { GuardrailPhase, TextSpan } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";

const phase = z.enum(["request", "response"]);

const config = z
  .strictObject({
    min: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ title: "Least", description: "Words that a request must have; not for responses." }),
    max: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ title: "Most", description: "Words that a message may have." }),
    maxCharacters: z.int().min(1).max(1_000_000).default(200_000).meta({
      title: "Most characters",
      description: "Longer texts are refused uncounted. A streamed answer is held back whole, up to this.",
    }),
    authors: z
      .array(z.enum(["system", "user", "assistant", "tool", "unknown"]))
      .min(1)
      .max(5)
      .optional()
      .meta({ title: "Authors", description: "Whose texts of a request are counted; everybody's when absent." }),
    phases: z
      .array(phase)
      .min(1)
      .max(2)
      .default(["request"])
      .meta({ title: "Phases", description: "Which messages are counted." }),
  })
  .refine(({ min, max }) => min !== undefined || max !== undefined, "give `min`, `max` or both")
  .refine(({ min, max }) => min === undefined || max === undefined || min <= max, {
    message: "must not be more than `max`",
    path: ["min"],
  })
  .refine(({ min, phases }) => min === undefined || !phases.includes("response"), {
    message: "is for requests only: an answer may well be a tool call and no words",
    path: ["min"],
  });

/**
 * Bounds the words of a message. A word is a run without white space. A request is counted over all its texts; of an
 * answer each text by itself, since a stream shows them apart.
 */
export const wordCount = defineGuardrail({
  id: "word-count",
  title: "Word count",
  summary: "Refuses messages with too few or too many words.",
  config,
  examples: [
    { min: 2, max: 500, authors: ["user"] },
    { max: 1_000, phases: ["response"] },
  ],
  onError: "deny",
  compile({ min, max, maxCharacters, authors, phases }) {
    const counts = (span: TextSpan, of: GuardrailPhase): boolean =>
      of === "response" || authors === undefined || authors.includes(span.author);
    return {
      phases,
      // One more than may be, so that a longer answer shows itself before a character of it is out.
      window: { size: maxCharacters + 1, overlap: 0 },
      inspect(spans, of) {
        const texts = spans.filter((span) => counts(span, of)).map(({ text }) => text);
        if (texts.some((text) => text.length > maxCharacters)) {
          return { type: "deny", reason: `The ${of} is too long.`, detail: `over ${maxCharacters} characters` };
        }
        const words = texts.map(countWords);
        const all = of === "request" ? words.reduce((sum, count) => sum + count, 0) : Math.max(0, ...words);
        if (max !== undefined && all > max) {
          return { type: "deny", reason: `The ${of} has more than ${max} words.`, detail: `${all} words` };
        }
        if (min !== undefined && all < min) {
          return { type: "deny", reason: `The ${of} has fewer than ${min} words.`, detail: `${all} words` };
        }
        return { type: "pass" };
      },
    };
  },
});

function countWords(text: string): number {
  let words = 0;
  for (const _word of text.matchAll(/\S+/g)) words += 1;
  return words;
}
