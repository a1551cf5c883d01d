import type { PolicyResult, Suspension } from "../core/compliance-tables.ts";
import { contentHash } from "../core/content-hash.ts";
import type { Verdict } from "../core/governance-gate.ts";
import type { GovernancePolicySpec } from "../core/governance-policy.ts";
import type { Resource } from "../core/resource.ts";
import type { JudgeParts } from "./judge.ts";
import { judge } from "./judge.ts";
import { notEvaluatedRule } from "./unread-document.ts";

/** How a resource stands to its policies, and what follows for its deployed revision. */
export interface RunningVerdict extends Verdict {
  readonly suspension: Suspension | null;
}

/**
 * Holds a resource against its policies, and its deployed revision against those that suspend: the draft may be mended
 * already, or not broken yet. A rule that cannot be evaluated suspends nothing, and frees nothing that it has suspended.
 */
export async function judgeDeployed(
  parts: JudgeParts,
  resource: Resource,
  before: Suspension | null,
): Promise<RunningVerdict> {
  const verdict = await judge(parts, resource);
  const policies = parts.book.policies.filter(({ spec }) => spec.actions.some(({ type }) => type === "suspend"));
  if (policies.length === 0) return { ...verdict, suspension: null };
  const deployment = await parts.read.deployments.find(resource.id);
  const revision = deployment && (await parts.read.revisions.find(resource.id, deployment.revision));
  if (revision === undefined) return { ...verdict, suspension: null };
  const isDraft = revision.specHash === contentHash(resource.spec);
  const subject = { ...resource, spec: revision.spec };
  const results = isDraft
    ? verdict.policies
    : (await judge({ ...parts, book: { ...parts.book, policies } }, subject)).policies;
  return { ...verdict, suspension: suspensionBy(policies, results, before) };
}

function suspensionBy(
  policies: JudgeParts["book"]["policies"],
  results: readonly PolicyResult[],
  before: Suspension | null,
): Suspension | null {
  const found = results.flatMap((result) => {
    const policy = policies.find(({ name }) => name === result.policy);
    if (policy === undefined) return [];
    const kept = before?.policies.includes(policy.name) === true ? before.rules : [];
    const rules = [...brokenRules(policy.spec, result), ...kept.filter((rule) => isInDoubt(rule, result))];
    return rules.length === 0 ? [] : [{ policy: policy.name, rules }];
  });
  if (found.length === 0) return null;
  return {
    policies: found.map(({ policy }) => policy).toSorted(),
    rules: [...new Set(found.flatMap(({ rules }) => rules))].toSorted(),
  };
}

function brokenRules({ actions }: GovernancePolicySpec, { rulesets }: PolicyResult): readonly string[] {
  const severities = new Set(actions.filter(({ type }) => type === "suspend").map(({ severity }) => severity));
  return rulesets.flatMap(({ findings }) =>
    findings
      .filter(({ exemption, severity }) => exemption === null && severities.has(severity))
      .filter(({ rule }) => rule !== notEvaluatedRule)
      .map(({ rule }) => rule),
  );
}

/** Whether the rule could not be evaluated this time. */
function isInDoubt(rule: string, { rulesets }: PolicyResult): boolean {
  return rulesets.some(({ faults }) => faults.some((fault) => fault.rule === null || fault.rule === rule));
}
