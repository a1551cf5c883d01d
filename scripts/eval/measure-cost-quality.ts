import type { CompiledEmbedder } from "../../src/embedding/define-embedder.ts";
import { crossValidate } from "../../src/routing/cost-quality/cross-validate.ts";
import type { ChoiceReport } from "../../src/routing/cost-quality/judge-router.ts";
import { judgeChoices, judgePair } from "../../src/routing/cost-quality/judge-router.ts";
import type { OutcomeTable } from "../../src/routing/cost-quality/outcome-table.ts";

export interface CostQualityFigures {
  readonly lines: readonly string[];
  /** The router's mean score in per cent of the best single model's. */
  readonly quality: number;
  /** Per cent that it costs less than the best single model. */
  readonly saved: number;
}

const folds = 5;

/** Five folds: how much less it costs to be as good as the best single model, and the same at other qualities. */
export async function measureCostQuality(table: OutcomeTable, embedder: CompiledEmbedder): Promise<CostQualityFigures> {
  const vectors = await embedder.embed(table.prompts.map(asRouted));
  const lines = [
    "",
    `cost and quality, ${table.models.length} models, ${table.prompts.length} prompts, ${folds} folds`,
  ];
  lines.push("wanted   score    of best   cost     of best   regret to the oracle");
  const held = crossValidate(table, vectors, { modelId: embedder.modelId, folds });
  const judgedAt = (quality: number): ChoiceReport =>
    judgeChoices(
      held.map(({ scores, costs, choose }) => ({ scores, costs, chosen: choose(quality) })),
      table.models,
    );
  const judged = [0.95, 1, 1.02].map((quality) => {
    const { score, cost, bestSingle, regret } = judgedAt(quality);
    const [ofScore, ofCost] = [score / bestSingle.score, cost / bestSingle.cost];
    lines.push(
      [
        quality.toFixed(2).padEnd(9),
        score.toFixed(4).padEnd(9),
        percent(ofScore).padEnd(10),
        cost.toFixed(3).padEnd(9),
        percent(ofCost).padEnd(10),
        regret.toFixed(4),
      ].join(""),
    );
    return { quality, ofScore, ofCost };
  });
  const { bestSingle, oracle } = judgedAt(1);
  lines.push(`best single model ${bestSingle.model}: ${bestSingle.score.toFixed(4)} at ${bestSingle.cost.toFixed(3)}`);
  lines.push(`oracle: ${oracle.score.toFixed(4)} at ${oracle.cost.toFixed(3)}`);
  const asGood = judged.find(({ quality }) => quality === 1);
  return {
    lines,
    quality: 100 * (asGood?.ofScore ?? Number.NaN),
    saved: 100 * (1 - (asGood?.ofCost ?? Number.NaN)),
  };
}

/** Five folds: how much of the gap between a weak and a strong model is recovered, beside chance and the oracle. */
export async function measurePair(table: OutcomeTable, embedder: CompiledEmbedder): Promise<readonly string[]> {
  const vectors = await embedder.embed(table.prompts.map(asRouted));
  const held = crossValidate(table, vectors, { modelId: embedder.modelId, folds });
  const outcomes = held.map(({ scores: [weak = 0, strong = 0], expected }) => ({
    weak,
    strong,
    router: (expected[1] ?? 0) - (expected[0] ?? 0),
  }));
  const rows = [
    { name: "router", of: ({ router }: (typeof outcomes)[number]) => router },
    { name: "random", of: (_: unknown, place: number) => (Math.imul(place + 1, 2_654_435_761) >>> 0) / 2 ** 32 },
    { name: "oracle", of: ({ weak, strong }: (typeof outcomes)[number]) => strong - weak },
  ];
  return [
    "",
    `a weak and a strong model, ${table.prompts.length} prompts, ${folds} folds`,
    "          APGR     CPT(50)   CPT(80)",
    ...rows.map(({ name, of }) => {
      const pair = outcomes.map((outcome, place) => ({ ...outcome, expectedGain: of(outcome, place) }));
      const { apgr, cpt50, cpt80 } = judgePair(pair);
      return `${name.padEnd(10)}${apgr.toFixed(3).padEnd(9)}${percent(cpt50).padEnd(10)}${percent(cpt80)}`;
    }),
  ];
}

/** What the strategy sees of a text: its end. */
function asRouted(prompt: string): string {
  return prompt.slice(-4_000);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
