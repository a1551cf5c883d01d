import { z } from "zod";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { boundsMembers, checkBounds, guardCount, localeMember } from "./count-bounds.ts";

const config = z
  .strictObject({
    ...boundsMembers,
    sentences: z.enum(["segments", "marks"]).default("segments").meta({
      title: "Sentences",
      description:
        "`segments`: as Unicode divides the language's texts, in which no sentence begins with a small letter. `marks`: what stands between full stops, question and exclamation marks.",
    }),
    locale: localeMember,
  })
  .superRefine(checkBounds);

/**
 * Bounds the sentences of a message. What has neither letters nor digits nor symbols is none.
 * @see https://www.unicode.org/reports/tr29/#Sentence_Boundaries
 */
export const sentenceCount = defineGuardrail({
  id: "sentence-count",
  title: "Sentence count",
  summary: "Refuses messages with too few or too many sentences.",
  config,
  examples: [{ max: 20 }, { min: 1, max: 3, phases: ["response"], sentences: "marks" }],
  onError: "deny",
  isPure: true,
  compile({ sentences, locale, ...bounds }) {
    return guardCount(bounds, "sentences", sentences === "marks" ? countByMarks : sentenceSegments(locale));
  },
});

/** Something is said: more than blanks and punctuation. */
const saysSomething = /[^\s\p{P}\p{Cf}]/u;

function sentenceSegments(locale: string): (text: string) => number {
  const segmenter = new Intl.Segmenter(locale, { granularity: "sentence" });
  return (text) => {
    let sentences = 0;
    for (const { segment } of segmenter.segment(text)) if (saysSomething.test(segment)) sentences += 1;
    return sentences;
  };
}

// Full stops of the scripts that have their own: Arabic, Devanagari, Ethiopic, CJK; `\p{STerm}` as far as V8 knows it.
const marks = /\p{Sentence_Terminal}/u;

function countByMarks(text: string): number {
  return text.split(marks).filter((part) => saysSomething.test(part)).length;
}
