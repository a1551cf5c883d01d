import type { KeptFinding, RulesetResult } from "../core/compliance-tables.ts";

/** The rule of a finding that says that no rule could be held against a document: an exemption from it may be given. */
export const notEvaluatedRule = "document-not-evaluated";

/**
 * The finding of a document that no rule could be held against: an error like any other, so that what a policy blocks is
 * not let through unread.
 */
export function notEvaluated(message: string): KeptFinding {
  return {
    rule: notEvaluatedRule,
    severity: "error",
    message,
    path: "",
    line: 1,
    howToFix: `Make the document smaller or simpler, or ask for an exemption from ${notEvaluatedRule}.`,
    documentationUrl: null,
    exemption: null,
  };
}

/** Whether the document could not be evaluated. It is tried again at every occasion: a busy machine may be all that it was. */
export function isUnread({ findings }: Pick<RulesetResult, "findings">): boolean {
  return findings.some(({ rule }) => rule === notEvaluatedRule);
}
