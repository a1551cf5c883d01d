import type { Finding, RuleFault } from "./finding.ts";

/** A ruleset with all stored ones that it extends. Names of built-in ones need no entry. */
export interface RulesetBundle {
  /** Names it in messages. */
  readonly name: string;
  /** Parsed: rules, `extends`, aliases, overrides, formats, as Spectral has them. */
  readonly ruleset: Readonly<Record<string, unknown>>;
  /** What `extends` names, transitively and without a circle. */
  readonly extended: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** YAML or JSON. */
export interface GovernedDocument {
  readonly text: string;
  /** A file's name, for `overrides` and messages. */
  readonly source?: string | undefined;
}

export interface EvaluateRequest {
  readonly bundle: RulesetBundle;
  readonly document: GovernedDocument;
  /** Milliseconds of one pass over the document. What does not end by then is looked for, rule by rule. */
  readonly timeoutMs?: number;
  /** Somebody waits for it: it comes before what is evaluated in the background. */
  readonly isUrgent?: boolean;
  readonly signal?: AbortSignal;
}

export interface Evaluation {
  /** In the order of the document. */
  readonly findings: readonly Finding[];
  readonly faults: readonly RuleFault[];
  /** The rules that were looked at, those without a finding too; not those of a format that the document has not. */
  readonly rules: readonly string[];
}

/** Holds documents against rulesets. */
export interface RulesetEvaluator extends AsyncDisposable {
  /**
   * Rejects with `resource.invalid` for a ruleset that is none, with an issue for each fault of it; with
   * `governance.unavailable` when too much waits already, or the evaluator cannot run.
   */
  evaluate(request: EvaluateRequest): Promise<Evaluation>;
}
