import type { Finding } from "../../governance/finding.ts";
import type { LintFault, LintFinding } from "./lint-result.ts";

/** A document that can be linted. */
export interface LintSubject {
  readonly source: string;
  readonly isFile: boolean;
  readonly title: string;
  readonly parts: readonly LintPart[];
  /** What was found without a ruleset. */
  readonly findings: readonly LintFinding[];
}

/** What one ruleset, or several, see of a subject. */
export interface LintPart {
  /** What rulesets of this type look at. */
  readonly of: "definition" | "metadata";
  /** Of what kind the resource is; absent where it is none. */
  readonly kind?: string;
  /** What it is held against where nobody says otherwise. */
  readonly rulesets: readonly string[];
  /** YAML or JSON. */
  readonly text: string;
  /** A finding in `text` as one in the subject; without it, they are the same. */
  readonly place?: (finding: Finding) => LintFinding;
}

/** A source with what is in it, or with why nothing is. */
export type ReadSource = LintSubject | { readonly source: string; readonly isFile: boolean; readonly fault: LintFault };
