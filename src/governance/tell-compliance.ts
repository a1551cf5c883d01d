import type { ComplianceRow, PolicyResult } from "../core/compliance-tables.ts";
import type { GovernancePolicySpec } from "../core/governance-policy.ts";
import { governancePolicy } from "../core/governance-policy.ts";
import type { HeldEntry } from "../core/mcp-quarantine.ts";
import { heldEntries } from "../core/mcp-quarantine.ts";
import type { Resource } from "../core/resource.ts";
import type { Write } from "../core/write.ts";

/** Findings that a message names; the rest is counted. */
const mostFindings = 20;

/**
 * Tells the webhooks of policies whose verdict on a resource has changed, within the write that keeps it: that it breaks
 * them now, that it keeps them again, that other entries of it are in quarantine, or that it is suspended. A first verdict is news only where it
 * is a bad one. Answers the policies whose webhooks are told. Call `wake` of the sender after the commit.
 */
export async function tellCompliance(
  write: Write,
  before: ComplianceRow,
  after: Pick<ComplianceRow, "policies" | "suspension">,
): Promise<readonly string[]> {
  const { webhooks } = write.context;
  if (webhooks === undefined) return [];
  const changed = after.policies.filter(
    (result) =>
      hasChanged(resultOf(before.policies, result.policy), result) ||
      suspends(before, result.policy) !== suspends(after, result.policy),
  );
  if (changed.length === 0) return [];
  const told: string[] = [];
  const policies = (await write.transaction.resources.all(
    governancePolicy.kind,
  )) as readonly Resource<GovernancePolicySpec>[]; // all of that kind
  for (const result of changed) {
    const webhook = policies.find(({ name }) => name === result.policy)?.spec.webhook;
    if (webhook === undefined) continue;
    await webhooks.enqueue(write, {
      ...webhook,
      secret: webhook.secret,
      source: `GovernancePolicy/${result.policy}`,
      teamId: before.teamId,
      type: result.status === "VIOLATED" ? "governance.violated" : "governance.followed",
      data: { ...news(before, result), suspended: suspends(after, result.policy) },
    });
    told.push(result.policy);
  }
  return told;
}

function suspends({ suspension }: Pick<ComplianceRow, "suspension">, policy: string): boolean {
  return suspension?.policies.includes(policy) === true;
}

function hasChanged(old: PolicyResult | undefined, now: PolicyResult): boolean {
  const isBad = now.status === "VIOLATED";
  if ((old?.status === "VIOLATED") !== isBad) return true;
  return namesOf(heldBy(old)) !== namesOf(heldBy(now));
}

function resultOf(results: readonly PolicyResult[], policy: string): PolicyResult | undefined {
  return results.find((each) => each.policy === policy);
}

function heldBy(result: PolicyResult | undefined): readonly HeldEntry[] {
  return result === undefined ? [] : heldEntries({ policies: [result] });
}

function namesOf(held: readonly HeldEntry[]): string {
  const names = held.map(({ kind, name }) => JSON.stringify([kind, name]));
  return names.toSorted().join();
}

function news({ kind, name }: ComplianceRow, result: PolicyResult): Readonly<Record<string, unknown>> {
  const counting = result.rulesets.flatMap(({ ruleset, findings }) =>
    findings.flatMap((each) => (each.exemption === null ? [{ ruleset, each }] : [])),
  );
  return {
    policy: result.policy,
    artifact: { kind, name },
    status: result.status,
    findings: counting.slice(0, mostFindings).map(({ ruleset, each: { rule, severity, path, message } }) => ({
      ruleset,
      rule,
      severity,
      path,
      message,
    })),
    findingCount: counting.length,
    quarantined: heldBy(result).map((entry) => ({ kind: entry.kind, name: entry.name })),
  };
}
