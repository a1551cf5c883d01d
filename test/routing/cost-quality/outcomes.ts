import type { OutcomeTable } from "../../../src/routing/cost-quality/outcome-table.ts";

const topics = {
  code: [
    "write a function",
    "fix this compiler error",
    "explain the stack trace",
    "refactor a class",
    "review my code",
  ],
  poem: ["write a poem", "a haiku about spring", "rhyme with moon", "a sonnet for my love", "a limerick please"],
};
const objects = [
  "now",
  "quickly",
  "for a friend",
  "in short",
  "with care",
  "again",
  "today",
  "by hand",
  "at once",
  "once more",
];

/** A hundred prompts of two kinds: the small model is as good at poems as the large one, and no good at code. */
export function twoKinds(): OutcomeTable {
  const rows = Object.entries(topics).flatMap(([topic, texts]) =>
    texts.flatMap((text) =>
      objects.map((object) => ({ prompt: `${text} ${object}`, small: topic === "poem" ? 0.9 : 0.1 })),
    ),
  );
  return {
    prompts: rows.map(({ prompt }) => prompt),
    models: ["large", "small"],
    scores: rows.map(({ small }) => [0.9, small]),
    costs: rows.map(() => [10, 1]),
    incomplete: 0,
  };
}

/** The same as CSV. */
export function asCsv({ prompts, models, scores, costs }: OutcomeTable): string {
  const lines = prompts.flatMap((prompt, place) =>
    models.map((model, at) => `"${prompt}",${model},${scores[place]?.[at]},${costs[place]?.[at]}`),
  );
  return ["prompt,model,score,cost", ...lines, ""].join("\n");
}
