import { z } from "zod";
import type { GuardrailPhase, StreamWindow, TextSpan, Verdict } from "../pipeline/define-guardrail.ts";

/** For guardrails that can judge a text only when they have all of it. */
export const heldWholeMember = z.int().min(1).max(1_000_000).default(200_000).meta({
  title: "Most characters",
  description: "Longer texts are refused unread. A streamed answer is held back whole, up to this.",
});

export const phasesMember = z
  .array(z.enum(["request", "response"]))
  .min(1)
  .max(2)
  .meta({ title: "Phases", description: "Which messages are looked at." });

/** One character more than may be, so that a longer answer shows itself before any of it is out. */
export function heldWhole(maxCharacters: number): StreamWindow {
  return { size: maxCharacters + 1, overlap: 0 };
}

/** The refusal of texts that are longer than would be held back; undefined where none is. */
export function longerThanHeld(
  texts: readonly string[],
  maxCharacters: number,
  phase: GuardrailPhase,
): Verdict | undefined {
  if (texts.every((text) => text.length <= maxCharacters)) return undefined;
  return { type: "deny", reason: `The ${phase} is too long.`, detail: `over ${maxCharacters} characters` };
}

/**
 * What is judged together: all texts of a request; of an answer each text by itself, and no empty one, as its stream
 * would show them.
 */
export function judgedTogether(spans: readonly TextSpan[], phase: GuardrailPhase): readonly (readonly string[])[] {
  const texts = spans.map(({ text }) => text);
  return phase === "request" ? [texts] : texts.filter((text) => text !== "").map((text) => [text]);
}
