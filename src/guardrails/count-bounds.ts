import { z } from "zod";
import type { CompiledGuardrail, GuardrailPhase, TextSpan, Verdict } from "../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, judgedTogether, longerThanHeld, phasesMember } from "./held-whole.ts";

const bound = z.int().min(0).max(1_000_000).optional();

/** The options of a guardrail that counts something in texts. */
export const boundsMembers = {
  min: bound.meta({
    title: "Least",
    description: "What a message must have; both bounds are among what is permitted.",
  }),
  max: bound.meta({ title: "Most", description: "What a message may have." }),
  invert: z.boolean().default(false).meta({
    title: "Invert",
    description: "Refuses what lies within the bounds, in place of what lies outside.",
  }),
  maxCharacters: heldWholeMember,
  authors: z
    .array(z.enum(["system", "user", "assistant", "tool", "unknown"]))
    .min(1)
    .max(5)
    .optional()
    .meta({ title: "Authors", description: "Whose texts of a request are counted; everybody's when absent." }),
  phases: phasesMember.default(["request"]),
};

/** A locale for `Intl.Segmenter`. */
export const localeMember = z
  .string()
  .max(64)
  .refine(isLocale, "a language that is known here, such as en or th-TH")
  .default("en")
  .meta({ title: "Locale", description: "The language whose rules divide the text (BCP 47)." });

export type CountBounds = z.output<z.ZodObject<typeof boundsMembers>>;

/** What is wrong with the bounds. For `superRefine` of the whole configuration. */
export function checkBounds({ min, max }: Pick<CountBounds, "min" | "max">, context: z.RefinementCtx): void {
  if (min === undefined && max === undefined) {
    context.addIssue({ code: "custom", message: "give `min`, `max` or both" });
  }
  if (min !== undefined && max !== undefined && min > max) {
    context.addIssue({ code: "custom", message: "must not be more than `max`", path: ["min"] });
  }
}

/**
 * A guardrail that keeps a count within bounds, or out of them. A request is counted over all its texts; of an answer
 * each text by itself, since a stream shows them apart; an answer without text is not asked about.
 * @param things what is counted, for the refusal: `words`
 */
export function guardCount(bounds: CountBounds, things: string, count: (text: string) => number): CompiledGuardrail {
  const { authors, phases, maxCharacters } = bounds;
  return {
    phases,
    window: heldWhole(maxCharacters),
    inspect(spans, phase) {
      const counted = phase === "response" || authors === undefined ? spans : spans.filter(isOf(authors));
      const messages = judgedTogether(counted, phase);
      const tooLong = longerThanHeld(messages.flat(), maxCharacters, phase);
      if (tooLong !== undefined) return tooLong;
      const verdicts = messages.map((texts) => judge(sum(texts.map(count)), bounds, things, phase));
      return verdicts.find(({ type }) => type === "deny") ?? { type: "pass" };
    },
  };
}

function judge(found: number, { min, max, invert }: CountBounds, things: string, phase: GuardrailPhase): Verdict {
  const isFew = min !== undefined && found < min;
  const isMany = max !== undefined && found > max;
  if ((isFew || isMany) !== invert) {
    const reason = invert
      ? `The ${phase} has a number of ${things} that is not permitted.`
      : `The ${phase} has ${isFew ? `fewer than ${min}` : `more than ${max}`} ${things}.`;
    return { type: "deny", reason, detail: `${found} ${things}`, assessment: { count: found, min, max, invert } };
  }
  return { type: "pass" };
}

function isOf(authors: readonly TextSpan["author"][]): (span: TextSpan) => boolean {
  return ({ author }) => authors.includes(author);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, each) => total + each, 0);
}

function isLocale(text: string): boolean {
  try {
    return Intl.Segmenter.supportedLocalesOf(text).length > 0;
  } catch {
    return false; // not even the form of one
  }
}
