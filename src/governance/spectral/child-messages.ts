import { z } from "zod";
import type { Finding } from "../finding.ts";
import { severities } from "../finding.ts";
import type { GovernedDocument, RulesetBundle } from "../ruleset-evaluator.ts";

/** What the child is asked: one document against one ruleset. */
export interface ChildQuestion {
  readonly id: number;
  readonly bundle: RulesetBundle;
  readonly document: GovernedDocument;
  /** The rules to look at; all that the ruleset has on when absent. */
  readonly only?: readonly string[] | undefined;
  /** Evaluate nothing, and name all rules that are on, of whatever format. */
  readonly lists?: boolean;
}

const position = z.object({ line: z.int(), character: z.int() });

const finding = z.object({
  rule: z.string(),
  severity: z.enum(severities),
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])),
  range: z.object({ start: position, end: position }),
  howToFix: z.string().optional(),
  documentationUrl: z.string().optional(),
});

/** What the child says. It runs what strangers wrote, so its words are checked as anybody's. */
export const childAnswerSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({
    type: z.literal("done"),
    id: z.int(),
    findings: z.array(finding),
    rules: z.array(z.string()),
  }),
  z.object({
    type: z.literal("invalid"),
    id: z.int(),
    issues: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  }),
  z.object({ type: z.literal("failed"), id: z.int(), message: z.string() }),
]);

export type ChildAnswer =
  | { readonly type: "ready" }
  | {
      readonly type: "done";
      readonly id: number;
      readonly findings: readonly Finding[];
      readonly rules: readonly string[];
    }
  | { readonly type: "invalid"; readonly id: number; readonly issues: readonly RulesetIssue[] }
  | { readonly type: "failed"; readonly id: number; readonly message: string };

/** A fault of a ruleset, and the place in it. */
export interface RulesetIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}
