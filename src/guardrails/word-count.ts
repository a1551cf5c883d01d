import { z } from "zod";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { boundsMembers, checkBounds, guardCount, localeMember } from "./count-bounds.ts";

const config = z
  .strictObject({
    ...boundsMembers,
    words: z.enum(["spaces", "segments"]).default("spaces").meta({
      title: "Words",
      description: "`spaces`: runs without white space. `segments`: as Unicode divides the language's texts.",
    }),
    locale: localeMember,
  })
  .superRefine(checkBounds);

/**
 * Bounds the words of a message: runs without white space, or words as Unicode divides texts, for languages that are
 * written without spaces.
 * @see https://www.unicode.org/reports/tr29/#Word_Boundaries
 */
export const wordCount = defineGuardrail({
  id: "word-count",
  title: "Word count",
  summary: "Refuses messages with too few or too many words.",
  config,
  examples: [
    { min: 2, max: 500, authors: ["user"] },
    { max: 1_000, phases: ["response"], words: "segments", locale: "th" },
  ],
  onError: "deny",
  isPure: true,
  compile({ words, locale, ...bounds }) {
    return guardCount(bounds, "words", words === "spaces" ? countRuns : wordSegments(locale));
  },
});

function countRuns(text: string): number {
  let words = 0;
  for (const _word of text.matchAll(/\S+/g)) words += 1;
  return words;
}

function wordSegments(locale: string): (text: string) => number {
  const segmenter = new Intl.Segmenter(locale, { granularity: "word" });
  return (text) => {
    let words = 0;
    for (const { isWordLike } of segmenter.segment(text)) if (isWordLike === true) words += 1;
    return words;
  };
}
