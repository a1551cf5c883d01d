import type { Finding, Severity } from "../../governance/finding.ts";

/** What a rule has found, and where people see it. */
export interface LintFinding extends Omit<Finding, "range"> {
  /** Undefined where there is no text of somebody's: of a live server. */
  readonly range: Finding["range"] | undefined;
  /** What of a live server it is about: `tool get-sum`. */
  readonly about?: string | undefined;
}

/** What became of one document. */
export interface LintResult {
  /** A path as it was named, `-`, or the address of a server. */
  readonly source: string;
  /** Whether `source` is a path, which editors and forges can lead to. */
  readonly isFile: boolean;
  /** What it was taken for: `OpenAPI 3.1.0`, `McpServer tickets`. */
  readonly title: string;
  /** What it was held against. */
  readonly rulesets: readonly string[];
  /** In the order of the document. */
  readonly findings: readonly LintFinding[];
  /** Why it, or a part of the rules, could not be looked at. */
  readonly faults: readonly LintFault[];
}

/** Something that could not be looked at: no statement about the document is made. */
export interface LintFault {
  readonly message: string;
  /** From 1. */
  readonly line?: number | undefined;
  /** It is a document of no kind that is linted. */
  readonly isUnknown?: boolean;
}

/** Findings by severity. */
export type SeverityCounts = Readonly<Record<Severity, number>>;

/** How many findings there are of each severity. */
export function countSeverities(results: readonly LintResult[]): SeverityCounts {
  const counts = { error: 0, warn: 0, info: 0, hint: 0 };
  for (const { findings } of results) for (const { severity } of findings) counts[severity] += 1;
  return counts;
}
