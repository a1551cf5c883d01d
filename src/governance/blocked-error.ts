import type { KeptFinding } from "../core/compliance-tables.ts";
import type { Verdict } from "../core/governance-gate.ts";
import type { GovernancePolicySpec } from "../core/governance-policy.ts";
import type { GovernedState } from "../core/governed-kinds.ts";
import type { FieldIssue } from "../kernel/errors.ts";
import { GatewayError } from "../kernel/errors.ts";
import { blocking } from "./judge.ts";
import type { Named } from "./rule-book.ts";

/** Findings that an error tells; more are counted. */
const shownFindings = 100;

/** The `governance.blocked` error of what blocks one of the states: each finding with rule, place, message and what to do. */
export function blockedError(
  verdicts: readonly Verdict[],
  policies: readonly Named<GovernancePolicySpec>[],
  states: readonly GovernedState[],
): GatewayError | undefined {
  const specs = new Map(policies.map(({ name, spec }) => [name, spec]));
  const issues = verdicts.flatMap((verdict) =>
    verdict.policies.flatMap(({ policy, rulesets }) => {
      const spec = specs.get(policy);
      const found = spec === undefined ? [] : blocking(spec, states, rulesets);
      return found.map((finding) => issueOf(verdict, policy, finding));
    }),
  );
  const [first] = issues;
  if (first === undefined) return undefined;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return new GatewayError("governance.blocked", `Blocked by governance: ${first.path}: ${first.message}${more}`, {
    issues: issues.slice(0, shownFindings),
  });
}

function issueOf({ kind, name }: Verdict, policy: string, finding: KeptFinding): FieldIssue {
  const { rule, severity, message, path, line, howToFix, documentationUrl } = finding;
  const fix = howToFix === null ? "" : ` How to fix: ${howToFix}`;
  const more = documentationUrl === null ? "" : ` See ${documentationUrl}`;
  return {
    path: `${kind}/${name}: ${path}`.trimEnd(),
    message: `${rule} (${severity}, line ${line}, policy ${policy}): ${message}${fix}${more}`,
  };
}
