import { z } from "zod";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { boundsMembers, checkBounds, guardCount } from "./count-bounds.ts";

const config = z
  .strictObject({
    ...boundsMembers,
    unit: z.enum(["characters", "bytes"]).default("characters").meta({
      title: "Unit",
      description: "`characters` as people count them, an emoji being one; or `bytes` of UTF-8.",
    }),
  })
  .superRefine(checkBounds);

/**
 * Bounds the length of a message's texts, in characters (extended grapheme clusters) or bytes of UTF-8.
 * @see https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries
 */
export const contentLength = defineGuardrail({
  id: "content-length",
  title: "Content length",
  summary: "Refuses messages that are too short or too long.",
  config,
  examples: [{ max: 4_000 }, { max: 65_536, unit: "bytes", phases: ["request", "response"] }],
  onError: "deny",
  isPure: true,
  compile({ unit, ...bounds }) {
    if (unit === "bytes") return guardCount(bounds, "bytes", (text) => Buffer.byteLength(text, "utf8"));
    return guardCount(bounds, "characters", countCharacters());
  },
});

function countCharacters(): (text: string) => number {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" }); // clusters are those of all languages
  return (text) => {
    if (isPlain(text)) return text.length;
    let characters = 0;
    for (const _cluster of segmenter.segment(text)) characters += 1;
    return characters;
  };
}

/** Of ASCII, which has a byte for each unit, only a line's two-part end is one character. */
function isPlain(text: string): boolean {
  return Buffer.byteLength(text, "utf8") === text.length && !text.includes("\r\n");
}
