/** How much a finding weighs, the heaviest first. */
export const severities = ["error", "warn", "info", "hint"] as const;
export type Severity = (typeof severities)[number];

/** A place in a document's text; both count from 0, as Spectral and the Language Server Protocol do. */
export interface TextPosition {
  readonly line: number;
  readonly character: number;
}

/** What a rule has found in a document. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  /** Where, as members and indexes from the document's top. Empty for the document as a whole. */
  readonly path: readonly (string | number)[];
  readonly range: { readonly start: TextPosition; readonly end: TextPosition };
  /** What to do about it, where the rule says so. */
  readonly howToFix?: string | undefined;
  readonly documentationUrl?: string | undefined;
}

/** A rule that could not be evaluated: it is the rule's own fault and says nothing of the document. */
export interface RuleFault {
  /** Undefined where it is the document that cannot be evaluated by any rule. */
  readonly rule: string | undefined;
  readonly message: string;
}
