/** Whether words stand near a match: in the 64 characters before it or the 24 behind it. */
export type Says = (words: RegExp, where?: "near" | "before") => boolean;

/** Finds one kind of personal data among numbers and codes. What it sees is text as `readText` makes it. */
export interface Recogniser {
  /** As rows and assessments name the kind: `us-ssn`. */
  readonly id: string;
  readonly title: string;
  /** Names it in placeholders: `US_SSN`. */
  readonly label: string;
  /** Digits that every match has at least; 4 or more. Of a region with fewer nothing is asked. */
  readonly digits: number;
  /** Its shape: global, of bounded length, no two ways to match the same. */
  readonly pattern: RegExp;
  /**
   * How much of what has the shape belongs to it, from its begin; 0 for nothing. All of it when absent. `before` gives the
   * 64 characters before the match.
   */
  trim?(match: string, before: () => string): number;
  /** Whether what has the shape is one: its check digits, its dates, the words near it. */
  accept?(match: string, says: Says): boolean;
}
