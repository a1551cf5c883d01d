import type { ComplianceRow, PolicyResult } from "../core/compliance-tables.ts";
import type { GovernanceEvent } from "../core/governance-event.ts";
import { heldEntries } from "../core/mcp-quarantine.ts";

/** What an act says of itself; who and when comes to it. */
export type ActDetails = Pick<GovernanceEvent, "act"> &
  Partial<Omit<GovernanceEvent, "type" | "ts" | "event_id" | "act">>;

type Standing = Pick<ComplianceRow, "status" | "score" | "policies" | "suspension">;

/** Rules that one verdict tells of at most, and exemptions; status and score tell of the rest. */
const mostRules = 200;

/** What a new verdict on a resource changes. Nothing where it says the same, and for a first one by which no rule applies. */
export function actsOfVerdict(before: Standing, after: Standing): readonly ActDetails[] {
  return [
    ...statusActs(before, after),
    ...policyActs(before, after),
    ...ruleActs(before, after).slice(0, mostRules),
    ...entryActs(before, after),
    ...suspensionActs(before, after),
    ...exemptionActs(before, after).slice(0, mostRules),
  ];
}

/** How many findings of a resource count, each once however many policies look for it. */
export function countingFindings(policies: readonly PolicyResult[]): number {
  return new Set(
    policies.flatMap(({ rulesets }) =>
      rulesets.flatMap(({ ruleset, findings }) =>
        findings.flatMap(({ exemption, rule, path, message }) =>
          exemption === null ? [JSON.stringify([ruleset, rule, path, message])] : [],
        ),
      ),
    ),
  ).size;
}

function statusActs(before: Standing, after: Standing): readonly ActDetails[] {
  if (before.status === after.status && before.score === after.score) return [];
  if (before.status === "PENDING" && after.status === "NOT_APPLICABLE") return [];
  return [
    {
      act: "compliance.changed",
      from_status: before.status,
      to_status: after.status,
      score: after.score,
      findings: countingFindings(after.policies),
    },
  ];
}

function policyActs(before: Standing, after: Standing): readonly ActDetails[] {
  const old = new Map(before.policies.map(({ policy, status }) => [policy, status]));
  return after.policies.flatMap(({ policy, status, rulesets }) => {
    const from = old.get(policy) ?? "UNAPPLIED";
    if (from === status) return [];
    const findings = countingFindings([{ policy, status, rulesets }]);
    return [{ act: "policy.changed", policy, from_status: from, to_status: status, findings } as const];
  });
}

interface Broken {
  readonly policy: string;
  readonly ruleset: string;
  readonly rule: string;
  findings: number;
}

function ruleActs(before: Standing, after: Standing): readonly ActDetails[] {
  const [old, now] = [brokenRules(before.policies), brokenRules(after.policies)];
  const looked = lookedAt(after.policies);
  const broken = [...now].flatMap(([key, each]) => (old.has(key) ? [] : [{ act: "rule.broken", ...each } as const]));
  // What is not looked at any more, or could not be, is not mended.
  const mended = [...old].flatMap(([key, each]) =>
    now.has(key) || !looked(each) ? [] : [{ act: "rule.mended", ...each, findings: 0 } as const],
  );
  return [...broken, ...mended];
}

function brokenRules(policies: readonly PolicyResult[]): ReadonlyMap<string, Broken> {
  const found = new Map<string, Broken>();
  for (const { policy, rulesets } of policies) {
    for (const { ruleset, findings } of rulesets) {
      for (const { rule } of findings.filter(({ exemption }) => exemption === null)) {
        const key = JSON.stringify([policy, ruleset, rule]);
        const broken = found.get(key) ?? { policy, ruleset, rule, findings: 0 };
        broken.findings += 1;
        found.set(key, broken);
      }
    }
  }
  return found;
}

function lookedAt(policies: readonly PolicyResult[]): (broken: Broken) => boolean {
  return ({ policy, ruleset, rule }) => {
    const result = policies.find((each) => each.policy === policy)?.rulesets.find((each) => each.ruleset === ruleset);
    if (result === undefined || result.status === "UNAPPLIED") return false;
    return !result.faults.some((fault) => fault.rule === null || fault.rule === rule);
  };
}

function entryActs(before: Standing, after: Standing): readonly ActDetails[] {
  const [old, now] = [heldEntries(before), heldEntries(after)];
  const isIn = (list: typeof old, { kind, name }: (typeof old)[number]): boolean =>
    list.some((each) => each.kind === kind && each.name === name);
  const about = ({ kind, name, policies, rules }: (typeof old)[number]) => ({
    entry_kind: kind,
    entry_name: name,
    policy: policies.join(","),
    rule: rules.join(","),
  });
  return [
    ...now.flatMap((each) => (isIn(old, each) ? [] : [{ act: "entry.quarantined", ...about(each) } as const])),
    ...old.flatMap((each) => (isIn(now, each) ? [] : [{ act: "entry.released", ...about(each) } as const])),
  ];
}

function suspensionActs({ suspension: before }: Standing, { suspension: after }: Standing): readonly ActDetails[] {
  if ((before === null) === (after === null)) return [];
  const told = after ?? before;
  const act = after === null ? "api.resumed" : "api.suspended";
  return [{ act, policy: (told?.policies ?? []).join(","), rule: (told?.rules ?? []).join(",") }];
}

function exemptionActs(before: Standing, after: Standing): readonly ActDetails[] {
  const [old, now] = [exempted(before.policies), exempted(after.policies)];
  const counts = brokenRules(after.policies);
  const isBroken = ({ ruleset, rule }: Exempted): boolean =>
    [...counts.values()].some((each) => each.ruleset === ruleset && each.rule === rule);
  return [
    ...[...now].flatMap(([key, each]) => (old.has(key) ? [] : [{ act: "exemption.granted", ...each } as const])),
    // One whose finding is gone is not needed any more, and has not ended.
    ...[...old].flatMap(([key, each]) =>
      !now.has(key) && isBroken(each) ? [{ act: "exemption.ended", ...each } as const] : [],
    ),
  ];
}

type Exempted = Readonly<Record<"ruleset" | "rule" | "exemption", string>>;

function exempted(policies: readonly PolicyResult[]): ReadonlyMap<string, Exempted> {
  const found = new Map<string, Exempted>();
  for (const { ruleset, findings } of policies.flatMap(({ rulesets }) => rulesets)) {
    for (const { rule, exemption } of findings)
      if (exemption !== null) found.set(JSON.stringify([ruleset, rule, exemption]), { ruleset, rule, exemption });
  }
  return found;
}
