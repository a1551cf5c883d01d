/** An entry and how well it fits, from 0 to 1. */
export interface Ranked {
  readonly id: string;
  readonly score: number;
}

/** What of the scored entries is wanted. */
export interface Choice {
  /** Most entries answered; all when absent. */
  readonly limit?: number;
  /** Least score, that score included. An entry with a score of 0 is never answered. */
  readonly threshold?: number;
}

/** The best entries, best first; equal scores in the order of their ids, so that nothing hangs on when they came. */
export function chooseBest(
  ids: readonly (string | undefined)[],
  scores: Float64Array,
  { limit = Number.POSITIVE_INFINITY, threshold = 0 }: Choice,
): Ranked[] {
  const best: Ranked[] = [];
  if (limit < 1) return best;
  const isShort = limit <= 64; // a few are kept in order as they come; many are sorted at the end
  for (let slot = 0; slot < ids.length; slot += 1) {
    const id = ids[slot];
    const score = scores[slot] ?? 0;
    if (id === undefined || !(score > 0) || score < threshold) continue;
    const last = best[best.length - 1];
    if (isShort && best.length >= limit && last !== undefined && score < last.score) continue;
    const found = { id, score };
    if (!isShort) best.push(found);
    else insert(best, found, limit);
  }
  return isShort ? best : best.sort(byRank).slice(0, limit);
}

/** For sorting: the better first. */
export function byRank(left: Ranked, right: Ranked): number {
  if (left.score !== right.score) return right.score - left.score;
  return left.id < right.id ? -1 : Number(left.id > right.id);
}

function insert(best: Ranked[], found: Ranked, limit: number): void {
  let at = best.length;
  while (at > 0 && byRank(found, best[at - 1] ?? found) < 0) at -= 1;
  if (at >= limit) return;
  best.splice(at, 0, found);
  if (best.length > limit) best.pop();
}
