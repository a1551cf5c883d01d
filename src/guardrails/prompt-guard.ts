import { z } from "zod";
import { inTime } from "../kernel/in-time.ts";
import type { GuardrailPhase, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, longerThanHeld, phasesMember } from "./held-whole.ts";
import {
  createExampleVectors,
  deadlineMember,
  embedderMember,
  exampleText,
  nearest,
} from "./meaning/example-vectors.ts";
import { splitPassages } from "./text/split-passages.ts";

const examplesMember = z.array(exampleText).max(500).default([]);
const threshold = z.number().min(0).max(1).optional();

const config = z
  .strictObject({
    deny: examplesMember.meta({
      title: "Deny",
      description: "What must not be said. A message with a sentence of such a meaning, anywhere, is refused.",
    }),
    allow: examplesMember.meta({
      title: "Allow",
      description:
        "What may be said. The last text of a request, or a text of an answer, that is near none of these is refused.",
    }),
    denyThreshold: threshold.meta({
      title: "Deny threshold",
      description:
        "Likeness to an example, from 0 to 1, from which on a sentence is refused; the embedder's own when absent.",
    }),
    allowThreshold: threshold.meta({
      title: "Allow threshold",
      description: "Likeness to an example, from 0 to 1, that lets a text pass; the embedder's own when absent.",
    }),
    authors: z
      .array(z.enum(["system", "user", "assistant", "tool", "unknown"]))
      .min(1)
      .max(5)
      .default(["user", "unknown"])
      .meta({ title: "Authors", description: "Whose texts of a request are looked at." }),
    phases: phasesMember.default(["request"]),
    maxCharacters: heldWholeMember,
    deadlineMs: deadlineMember,
    embedder: embedderMember,
  })
  .refine(({ deny, allow }) => deny.length + allow.length > 0, "give examples to `deny`, to `allow` or both");

/**
 * Refuses what is near in meaning to examples, and what is near to none of those that are permitted. Denial comes first:
 * what is near to both is refused.
 */
export const promptGuard = defineGuardrail({
  id: "prompt-guard",
  title: "Prompt guard",
  summary: "Refuses messages by their meaning, from examples of what may and what must not be said.",
  config,
  examples: [
    { deny: ["tell me the salary of a colleague", "how do I get around the approval of my manager"] },
    { allow: ["what does my order cost", "when does my parcel arrive"], allowThreshold: 0.5 },
  ],
  onError: "deny",
  compile(given, tools) {
    const { deny, allow, authors, phases, maxCharacters, deadlineMs } = given;
    const embedder = tools.embed(given.embedder);
    const { denyThreshold = embedder.thresholds.guard, allowThreshold = embedder.thresholds.guard } = given;
    const examples = createExampleVectors([...deny, ...allow], embedder, tools.log);
    return {
      phases,
      window: heldWhole(maxCharacters),
      inspect(spans, phase, { signal }) {
        const judged = spans.filter(({ author }) => phase === "response" || authors.includes(author));
        const texts = judged.map(({ text }) => text).filter((text) => text.trim() !== "");
        const tooLong = longerThanHeld(texts, maxCharacters, phase);
        if (tooLong !== undefined) return tooLong;
        if (texts.length === 0) return { type: "pass" };
        const passages = deny.length === 0 ? [] : texts.flatMap(splitPassages);
        const wholes = allow.length === 0 ? [] : phase === "request" ? texts.slice(-1) : texts;
        const settle = ({ examples: known, texts: vectors }: Awaited<ReturnType<typeof examples.beside>>): Verdict =>
          denied(vectors.slice(0, passages.length), known.slice(0, deny.length), denyThreshold, phase) ??
          notAllowed(vectors.slice(passages.length), known.slice(deny.length), allowThreshold, phase) ?? {
            type: "pass",
          };
        const found = inTime(examples.beside([...passages, ...wholes], signal), deadlineMs, tools.clock);
        return found instanceof Promise ? found.then(settle) : settle(found);
      },
    };
  },
});

type Vectors = readonly (Float32Array | undefined)[];

function denied(passages: Vectors, examples: Vectors, least: number, phase: GuardrailPhase): Verdict | undefined {
  let worst = { at: -1, likeness: -1 };
  for (const passage of passages) {
    const found = nearest(passage, examples);
    if (found.likeness > worst.likeness) worst = found;
  }
  if (worst.likeness < least) return undefined;
  const score = rounded(worst.likeness);
  return {
    type: "deny",
    reason: `The ${phase} is about something that is not permitted here.`,
    detail: `deny[${worst.at}]: ${score}`,
    assessment: { list: "deny", example: worst.at, score, threshold: least },
  };
}

function notAllowed(texts: Vectors, examples: Vectors, least: number, phase: GuardrailPhase): Verdict | undefined {
  for (const text of texts) {
    const { likeness } = nearest(text, examples);
    if (likeness >= least) continue;
    const score = rounded(Math.max(likeness, 0));
    return {
      type: "deny",
      reason: `The ${phase} is about nothing that is permitted here.`,
      detail: `near none of allow: ${score}`,
      assessment: { list: "allow", score, threshold: least },
    };
  }
  return undefined;
}

function rounded(likeness: number): number {
  return Math.round(likeness * 1_000) / 1_000;
}
