import type { Ranked } from "../../embedding/choose-best.ts";
import type { FilterConfig } from "./filter-config.ts";

/** A tool as a choice sees it. */
export interface Candidate {
  /** As the index knows it; undefined of one without text. */
  readonly id: string | undefined;
  /** It stays, whatever it scores. */
  readonly isNeeded: boolean;
}

export interface ChoiceRules extends Pick<FilterConfig, "selection" | "limit" | "minKeep" | "withoutText"> {
  readonly threshold: number;
}

/**
 * Whether each tool stays, in the order given. `ranked` are the best, best first: as many as `mostRanked` says. Tools of
 * one name stay or go together.
 */
export function chooseTools(
  candidates: readonly Candidate[],
  ranked: readonly Ranked[],
  { selection, limit, threshold, minKeep, withoutText }: ChoiceRules,
): readonly boolean[] {
  const fitting = selection === "rank" ? ranked : ranked.filter(({ score }) => score >= threshold);
  const chosen = new Set((selection === "threshold" ? fitting : fitting.slice(0, limit)).map(({ id }) => id));
  fill(chosen, ranked, candidates, minKeep);
  return candidates.map(({ id, isNeeded }) => isNeeded || (id === undefined ? withoutText === "keep" : chosen.has(id)));
}

/** How many of the best a choice has to know. */
export function mostRanked({ selection, limit, minKeep }: ChoiceRules, total: number): number {
  return selection === "threshold" ? total : Math.min(total, Math.max(limit, minKeep, mostTold));
}

/** Scores that rows tell. */
export const mostTold = 20;

/** The next best up to `least`; those that score nothing in the list's order. */
function fill(chosen: Set<string>, ranked: readonly Ranked[], candidates: readonly Candidate[], least: number): void {
  if (chosen.size >= least) return;
  for (const { id } of [...ranked, ...candidates]) {
    if (chosen.size >= least) return;
    if (id !== undefined) chosen.add(id);
  }
}
