/** The share of meaning in a score; words have the rest. */
const meaningShare = 0.4;

/** The BM25 score that counts as half of what words can say. */
const halfway = 8;

/**
 * One score from 0 to 1 out of two signals, the same for a pair of texts whatever else stands in the index: so a
 * threshold means the same from request to request, and what is ranked first is also what passes it first.
 *
 * @param cosine of the two vectors; 0 where one of them is not known
 * @param bm25 0 or more
 */
export function blend(cosine: number, bm25: number): number {
  const meaning = cosine > 0 ? Math.min(cosine, 1) : 0;
  const words = 1 - halfway / (bm25 + halfway); // bm25/(bm25+8), rounded so that it never falls as bm25 grows
  return meaningShare * meaning + (1 - meaningShare) * words;
}
