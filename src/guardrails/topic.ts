import { z } from "zod";
import { createRouteIndex } from "../embedding/route-index.ts";
import { inTime } from "../kernel/in-time.ts";
import type { GuardrailPhase, Verdict } from "../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../pipeline/define-guardrail.ts";
import { heldWhole, heldWholeMember, longerThanHeld, phasesMember } from "./held-whole.ts";
import { createExampleVectors, deadlineMember, embedderMember, exampleText } from "./meaning/example-vectors.ts";
import { splitPassages } from "./text/split-passages.ts";

const topicSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .meta({ title: "Name", description: "Lower-case letters, digits and hyphens; it stands in analytics." }),
  examples: z.array(exampleText).min(1).max(200).meta({
    title: "Examples",
    description: "What people say who talk about it; 5 to 10 do well.",
  }),
  action: z.enum(["allow", "deny"]).meta({ title: "Action", description: "Whether it may be talked about." }),
  threshold: z.number().min(0).max(1).optional().meta({
    title: "Threshold",
    description: "Likeness, from 0 to 1, from which on a text is about it; the embedder's own for routes when absent.",
  }),
});

const config = z
  .strictObject({
    topics: z.array(topicSchema).min(1).max(100).meta({ title: "Topics", description: "What messages may be about." }),
    otherwise: z.enum(["allow", "deny"]).default("allow").meta({
      title: "Otherwise",
      description: "What happens to a message that is about none of them.",
    }),
    turns: z.int().min(1).max(20).default(3).meta({
      title: "Turns",
      description: "A last text of a request that is about none of them is judged with so many texts, itself counted.",
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
  .superRefine(({ topics, otherwise }, context) => {
    const names = topics.map(({ name }) => name);
    for (const [at, name] of names.entries()) {
      if (names.indexOf(name) === at) continue;
      context.addIssue({ code: "custom", message: "is the name of another topic too", path: ["topics", at, "name"] });
    }
    if (topics.every(({ action }) => action === otherwise)) {
      const message = `nothing would be ${otherwise === "allow" ? "refused" : "let pass"}`;
      context.addIssue({ code: "custom", message, path: ["otherwise"] });
    }
  });

type Topic = z.output<typeof topicSchema>;

/**
 * Keeps a conversation to its topics. A text is about the topic whose examples are nearest, where that is near enough. A
 * passage about a denied topic, anywhere in a long text, is found as well; a short answer ("yes, please") is judged together
 * with what was said before.
 */
export const topic = defineGuardrail({
  id: "topic",
  title: "Topic",
  summary: "Keeps messages to the topics that are permitted, from examples of each.",
  config,
  examples: [
    {
      topics: [
        { name: "orders", action: "allow", examples: ["where is my order", "I want to return the shoes"] },
        { name: "small-talk", action: "allow", examples: ["hello", "thank you"] },
      ],
      otherwise: "deny",
    },
    { topics: [{ name: "medicine", action: "deny", examples: ["which pills help against fever"], threshold: 0.5 }] },
  ],
  onError: "deny",
  compile(given, tools) {
    const { topics, authors, phases, maxCharacters, deadlineMs, turns } = given;
    const embedder = tools.embed(given.embedder);
    const vectors = createExampleVectors(
      topics.flatMap(({ examples }) => examples),
      embedder,
      tools.log,
    );
    let find: Find | undefined;
    return {
      phases,
      window: heldWhole(maxCharacters),
      inspect(spans, phase, { signal }) {
        const judged = spans.filter(({ author }) => phase === "response" || authors.includes(author));
        const texts = judged.map(({ text }) => text).filter((text) => text.trim() !== "");
        const tooLong = longerThanHeld(texts, maxCharacters, phase);
        if (tooLong !== undefined) return tooLong;
        if (texts.length === 0) return { type: "pass" };
        const last = texts.slice(-turns);
        const wholes = phase === "request" ? [last.at(-1) ?? "", last.join("\n")] : texts;
        const passages = (phase === "request" ? texts.slice(-1) : texts).flatMap(splitPassages);
        const settle = (made: Awaited<ReturnType<typeof vectors.beside>>): Verdict => {
          find ??= createFind(topics, made.examples, embedder.thresholds.route);
          const found = made.texts.map(find);
          return verdictOf(found.slice(0, wholes.length), found.slice(wholes.length), given.otherwise, phase);
        };
        const made = inTime(vectors.beside([...wholes, ...passages], signal), deadlineMs, tools.clock);
        return made instanceof Promise ? made.then(settle) : settle(made);
      },
    };
  },
});

interface Found {
  readonly topic: Topic;
  readonly score: number;
}

type Find = (vector: Float32Array | undefined) => Found | undefined;

function createFind(topics: readonly Topic[], examples: readonly (Float32Array | undefined)[], usual: number): Find {
  const index = createRouteIndex();
  const byName = new Map(topics.map((each) => [each.name, each]));
  let from = 0;
  for (const { name, examples: own } of topics) {
    index.set(name, examples.slice(from, from + own.length));
    from += own.length;
  }
  return (vector) => {
    for (const { id, score } of index.rank(vector, { limit: topics.length })) {
      const found = byName.get(id);
      if (found !== undefined && score >= (found.threshold ?? usual)) return { topic: found, score };
    }
    return undefined;
  };
}

function verdictOf(
  wholes: readonly (Found | undefined)[],
  passages: readonly (Found | undefined)[],
  otherwise: "allow" | "deny",
  phase: GuardrailPhase,
): Verdict {
  // Of a request: its last text, and that with those before it, which counts where the last one alone tells nothing.
  const judged = phase === "request" ? [wholes[0] ?? wholes[1]] : wholes;
  const denied = [...judged, ...passages].find((found) => found?.topic.action === "deny");
  if (denied !== undefined) {
    const { name } = denied.topic;
    const score = Math.round(denied.score * 1_000) / 1_000;
    return {
      type: "deny",
      reason: `The ${phase} is about "${name}", which is not permitted here.`,
      detail: `${name}: ${score}`,
      assessment: { topic: name, score },
    };
  }
  if (otherwise === "allow" || judged.every((found) => found !== undefined)) return { type: "pass" };
  return {
    type: "deny",
    reason: `The ${phase} is about none of the topics that are permitted here.`,
    detail: "no topic",
    assessment: { topic: null },
  };
}
