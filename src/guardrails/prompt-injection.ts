import { z } from "zod";
import type { GuardrailPhase, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, longerThanHeld, phasesMember } from "./held-whole.ts";
import { readInjectionHead } from "./injection/injection-head.ts";
import type { InjectionScore } from "./injection/score-injection.ts";
import { scoreInjection } from "./injection/score-injection.ts";

const config = z.strictObject({
  threshold: z.number().min(0.05).max(1).default(0.5).meta({
    title: "Threshold",
    description: "From which score on, from 0 to 1, a text is an injection. Lower finds more, and more that is none.",
  }),
  authors: z
    .array(z.enum(["system", "user", "assistant", "tool", "unknown"]))
    .min(1)
    .max(5)
    .default(["user", "tool", "unknown"])
    .meta({
      title: "Authors",
      description: "Whose texts are judged. The operator's own instructions are no injection.",
    }),
  action: z
    .enum(["deny", "annotate"])
    .default("deny")
    .meta({ title: "Action", description: "Refuse the message, or let it pass with the finding in its row." }),
  phases: phasesMember.default(["request"]),
  maxCharacters: heldWholeMember,
});

/**
 * Finds texts that try to give a model other instructions: by patterns in many languages, over what is hidden or encoded
 * too, and by meaning, with a small classifier over the built-in model. Judges each text of a message by itself. A share of
 * injections gets through: it lowers the risk and ends none.
 */
export const promptInjection = defineGuardrail({
  id: "prompt-injection",
  title: "Prompt injection",
  summary: "Refuses texts that try to give a model other instructions.",
  config,
  examples: [{}, { phases: ["response"], threshold: 0.6 }, { action: "annotate" }],
  onError: "deny",
  compile({ threshold, authors, action, phases, maxCharacters }, tools) {
    const head = readInjectionHead();
    const embedder = tools.embed({ use: "built-in", with: {} }); // the one that the head was fitted to
    return {
      phases,
      window: heldWhole(maxCharacters),
      inspect(spans, phase, { signal }) {
        const texts = spans.filter(({ author }) => authors.includes(author)).map(({ text }) => text);
        const tooLong = longerThanHeld(texts, maxCharacters, phase);
        if (tooLong !== undefined) return tooLong;
        const scores = texts.map((text) => scoreInjection(text, head, embedder, signal));
        const settle = (all: readonly InjectionScore[]): Verdict => verdictOf(all, threshold, action, phase);
        return isSettled(scores)
          ? settle(scores)
          : Promise.all(scores.map((score) => Promise.resolve(score))).then(settle);
      },
    };
  },
});

function isSettled(scores: readonly (InjectionScore | Promise<InjectionScore>)[]): scores is readonly InjectionScore[] {
  return !scores.some((score) => score instanceof Promise);
}

function verdictOf(
  scores: readonly InjectionScore[],
  threshold: number,
  action: "deny" | "annotate",
  phase: GuardrailPhase,
): Verdict {
  const found = scores.filter(({ score }) => score >= threshold).toSorted((a, b) => b.score - a.score);
  const [worst] = found;
  if (worst === undefined) return { type: "pass" };
  const score = Math.round(worst.score * 1_000) / 1_000;
  const detail = `${worst.kinds.join(", ")}: ${score}`;
  const assessment = { score, threshold, kinds: worst.kinds, texts: found.length };
  if (action === "annotate") return { type: "pass", detail, assessment };
  return {
    type: "deny",
    reason: `The ${phase} holds text that tries to give the model other instructions.`,
    detail,
    assessment,
  };
}
