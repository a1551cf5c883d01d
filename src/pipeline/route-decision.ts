/** Why an operation goes where it goes, as far as a strategy looked into it. Nothing of the request's text. */
export interface RouteDecision {
  /** The strategy's id. */
  readonly strategy: string;
  /** The named route that decided; undefined for the default. */
  readonly route: string | undefined;
  /**
   * In one word: `matched`, `no-rule`, `good-enough`, `not-offered`, `below-threshold`, `ambiguous`, `no-text`, `deadline`,
   * `failed`, `not-ready`, `none`, `no-choice`, `budget`, `resting`.
   */
  readonly reason: string;
  /** The best candidates, best first, with what they scored from 0 to 1. */
  readonly scores: readonly { readonly route: string; readonly score: number }[];
  /** Milliseconds that the decision took. */
  readonly tookMs: number;
  /** Tokens that a model took to decide; absent where none was asked. */
  readonly classifierTokens?: { readonly input: number; readonly output: number; readonly isEstimated: boolean };
  /** What those cost, in billionths of the currency's unit; absent where no price is known. */
  readonly classifierCost?: { readonly nanos: number; readonly currency: string };
  /** Targets that were left out before the strategy saw any, and why; absent when there are none. */
  readonly gates?: readonly ClosedGate[];
}

/** What a decision took of a model. */
export type DecisionSpent = Pick<RouteDecision, "classifierTokens" | "classifierCost">;

/** What a target has to pass before any strategy sees it, each by its own name. */
export type GateName =
  | "allow-list"
  | "region"
  | "modality"
  | "context-window"
  | "output"
  | "tools"
  | "budget"
  | "affinity"
  | "health";

export interface ClosedGate {
  /** The target's id. */
  readonly target: string;
  readonly gate: GateName;
}
