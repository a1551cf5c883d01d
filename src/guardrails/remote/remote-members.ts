import { z } from "zod";
import type { GuardrailPhase, TextSpan, Verdict } from "../../pipeline/define-guardrail.ts";
import { phasesMember } from "../held-whole.ts";

const windowSchema = z
  .strictObject({
    size: z.int().min(64).max(100_000).default(1_000).meta({
      title: "Size",
      description:
        "Characters of a stream that are held back and sent together, about eight sentences: each window is a call, which its reader waits for.",
    }),
    overlap: z.int().min(0).max(50_000).default(200).meta({
      title: "Overlap",
      description: "Characters that are sent again with the next window, so that a sentence is seen whole.",
    }),
  })
  .refine(({ size, overlap }) => overlap < size, { message: "must be less than the size", path: ["overlap"] })
  .prefault({});

/** The options of every guardrail that asks somebody else. */
export const remoteMembers = {
  phases: phasesMember.default(["request", "response"]),
  timeoutMs: z.int().min(100).max(60_000).default(5_000).meta({
    title: "Timeout",
    description: "Milliseconds for each call; what has not answered by then has failed.",
  }),
  maxCharacters: z.int().min(1).max(1_000_000).default(100_000).meta({
    title: "Most characters",
    description: "Of all texts of a message together; longer messages are refused and not sent.",
  }),
  window: windowSchema.meta({ title: "Window", description: "For streamed answers." }),
};

/** The texts that say anything, by their number among the spans. */
export interface SentText {
  readonly span: number;
  readonly text: string;
}

/**
 * What of a message is sent: the texts that are more than blanks, as valid Unicode of the same length. Or the verdict on a
 * message of which nothing is sent: a pass where it says nothing, a refusal where it is too long.
 */
export function textsToSend(
  spans: readonly TextSpan[],
  phase: GuardrailPhase,
  maxCharacters: number,
): readonly SentText[] | Verdict {
  const texts = spans.map(({ text }, span) => ({ span, text })).filter(({ text }) => text.trim() !== "");
  if (texts.length === 0) return { type: "pass" };
  const length = texts.reduce((sum, { text }) => sum + text.length, 0);
  if (length > maxCharacters) {
    return { type: "deny", reason: `The ${phase} is too long.`, detail: `over ${maxCharacters} characters` };
  }
  return texts.map(({ span, text }) => ({ span, text: text.toWellFormed() }));
}

/** Whether there is nothing to send. */
export function isVerdict(sent: readonly SentText[] | Verdict): sent is Verdict {
  return "type" in sent;
}
