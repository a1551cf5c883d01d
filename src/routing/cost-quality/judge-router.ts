/** How routing between a weak and a strong model does, as in RouteLLM (Ong et al., 2024, section 3). */
export interface PairReport {
  /** Mean of the performance gap recovered over all shares of calls to the strong model; 0.5 is chance. */
  readonly apgr: number;
  /** Least share of calls to the strong model with which half, and four fifths, of the gap are recovered; 0 to 1. */
  readonly cpt50: number;
  readonly cpt80: number;
}

/** One prompt: what its answer by each model scored, and how much the router expects of the strong one beyond the weak. */
export interface PairOutcome {
  readonly weak: number;
  readonly strong: number;
  readonly expectedGain: number;
}

/**
 * Sends prompts to the strong model in the order of their expected gain, one more at a time, and sees how much of the gap
 * between the two is recovered. NaN where the strong model is no better than the weak one.
 */
export function judgePair(outcomes: readonly PairOutcome[]): PairReport {
  const order = outcomes.toSorted((left, right) => right.expectedGain - left.expectedGain);
  const gap = outcomes.reduce((sum, { weak, strong }) => sum + strong - weak, 0);
  if (!(gap > 0)) return { apgr: Number.NaN, cpt50: Number.NaN, cpt80: Number.NaN };
  let [recovered, area] = [0, 0];
  const reached = { half: 1, most: 1 };
  for (const [index, { weak, strong }] of order.entries()) {
    const before = recovered / gap;
    recovered += strong - weak;
    const now = recovered / gap;
    area += (before + now) / 2 / order.length;
    const calls = (index + 1) / order.length;
    if (now >= 0.5) reached.half = Math.min(reached.half, calls);
    if (now >= 0.8) reached.most = Math.min(reached.most, calls);
  }
  return { apgr: area, cpt50: reached.half, cpt80: reached.most };
}

/** What choosing among many models reached, against the best single one and against knowing all answers beforehand. */
export interface ChoiceReport {
  readonly score: number;
  readonly cost: number;
  readonly bestSingle: { readonly model: string; readonly score: number; readonly cost: number };
  readonly oracle: { readonly score: number; readonly cost: number };
  /** What the oracle scores beyond the router. */
  readonly regret: number;
}

export interface ChoiceOutcome {
  readonly scores: readonly number[];
  readonly costs: readonly number[];
  readonly chosen: number;
}

/** Means over all outcomes. The oracle takes the cheapest of the best answers. */
export function judgeChoices(outcomes: readonly ChoiceOutcome[], models: readonly string[]): ChoiceReport {
  const mean = (of: (outcome: ChoiceOutcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  const singles = models.map((model, place) => ({
    model,
    score: mean(({ scores }) => scores[place] ?? 0),
    cost: mean(({ costs }) => costs[place] ?? 0),
  }));
  const bestSingle = singles.reduce((best, single) => (single.score > best.score ? single : best));
  const score = mean(({ scores, chosen }) => scores[chosen] ?? 0);
  const oracle = {
    score: mean(({ scores }) => Math.max(...scores)),
    cost: mean(({ scores, costs }) => {
      const highest = Math.max(...scores);
      return Math.min(...costs.filter((_, place) => scores[place] === highest));
    }),
  };
  return {
    score,
    cost: mean(({ costs, chosen }) => costs[chosen] ?? 0),
    bestSingle,
    oracle,
    regret: oracle.score - score,
  };
}
