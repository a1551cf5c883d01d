import { z } from "zod";
import type { SpanEdit, TextSpan, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, longerThanHeld, phasesMember } from "./held-whole.ts";
import { findConfusable } from "./injection/find-confusable.ts";
import { findHidden } from "./injection/hidden-characters.ts";
import { scorePoison } from "./injection/score-poison.ts";

const config = z.strictObject({
  hidden: z.enum(["strip", "deny", "ignore"]).default("strip").meta({
    title: "Hidden characters",
    description: "Those of the tag block, controls of direction, zero-width ones: taken out, refused, or let be.",
  }),
  instructions: z.enum(["deny", "remove", "annotate", "ignore"]).default("deny").meta({
    title: "Instructions",
    description:
      "Texts that tell a model what to do behind the user's back: the message is refused, the text replaced, or only noted.",
  }),
  names: z.enum(["deny", "annotate", "ignore"]).default("deny").meta({
    title: "Names",
    description: "Names that mix letters of scripts that look alike, and two names of a list that look the same.",
  }),
  threshold: z.number().min(0.05).max(1).default(0.5).meta({
    title: "Threshold",
    description: "From which score on, from 0 to 1, a text counts as poisoned.",
  }),
  replacement: z
    .string()
    .max(200)
    .default("[removed by the gateway]")
    .meta({ title: "Replacement", description: "Stands in place of a removed text." }),
  phases: phasesMember.default(["response"]),
  maxCharacters: heldWholeMember,
});

/**
 * Looks for what a server hides in its tools, prompts and results to steer the model that reads them: in every text,
 * descriptions nested in schemas, defaults, errors and notices among them.
 */
export const toolPoisoning = defineGuardrail({
  id: "tool-poisoning",
  title: "Tool poisoning",
  summary: "Finds instructions, hidden characters and deceptive names in what tools say of themselves and answer.",
  config,
  examples: [{}, { instructions: "remove" }, { hidden: "deny", phases: ["request", "response"] }],
  onError: "deny",
  appliesTo: { request: ["system", "user", "tool", "unknown"], response: ["tool"] },
  isPure: true,
  compile({ hidden, instructions, names, threshold, replacement, phases, maxCharacters }) {
    return {
      phases,
      window: heldWhole(maxCharacters),
      inspect(spans, phase) {
        const tooLong = longerThanHeld(
          spans.map(({ text }) => text),
          maxCharacters,
          phase,
        );
        if (tooLong !== undefined) return tooLong;
        const found = new Set<string>();
        const edits: SpanEdit[] = [];
        let refused = judgeNames(spans, names, found);
        for (const [span, { text }] of spans.entries()) {
          const poison = instructions === "ignore" ? undefined : scorePoison(text);
          if (poison !== undefined && poison.score >= threshold) {
            for (const kind of poison.kinds) found.add(kind);
            refused ||= instructions === "deny";
            if (instructions === "remove") {
              edits.push({ span, start: 0, end: text.length, replacement });
              continue;
            }
          }
          if (hidden === "ignore") continue;
          for (const { kind, start, end } of findHidden(text)) {
            found.add(`hidden ${kind}`);
            refused ||= hidden === "deny";
            edits.push({ span, start, end, replacement: "" });
          }
        }
        return verdictOf(refused, edits, [...found]);
      },
    };
  },
});

function judgeNames(spans: readonly TextSpan[], names: "deny" | "annotate" | "ignore", found: Set<string>): boolean {
  if (names === "ignore") return false;
  // Names stand in members of that name, and names of a list beside one another; other protocols' texts have no path.
  const named = spans.filter(({ path }) => path?.at(-1) === "name" && path.length <= 4);
  const deceptive = findConfusable(named.map(({ text }) => text));
  if (deceptive !== undefined) found.add(deceptive);
  return deceptive !== undefined && names === "deny";
}

function verdictOf(refused: boolean, edits: readonly SpanEdit[], found: readonly string[]): Verdict {
  if (found.length === 0) return { type: "pass" };
  const told = { detail: found.join(", "), assessment: { found } };
  if (refused) return { type: "deny", reason: "A tool says what is not permitted here.", ...told };
  return edits.length === 0 ? { type: "pass", ...told } : { type: "rewrite", edits, ...told };
}
