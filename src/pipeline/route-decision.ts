/** Why an operation goes where it goes, as far as a strategy looked into it. Nothing of the request's text. */
export interface RouteDecision {
  /** The strategy's id. */
  readonly strategy: string;
  /** The named route that decided; undefined for the default. */
  readonly route: string | undefined;
  /** In one word: `matched`, `no-rule`, `below-threshold`, `ambiguous`, `no-text`, `deadline`, `failed`, `not-ready`. */
  readonly reason: string;
  /** The best candidates, best first, with what they scored from 0 to 1. */
  readonly scores: readonly { readonly route: string; readonly score: number }[];
  /** Milliseconds that the decision took. */
  readonly tookMs: number;
}
