import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { ComplianceRow, KeptFinding, PolicyResult } from "../../src/core/compliance-tables.ts";
import { governanceActs } from "../../src/core/governance-event.ts";
import { actsOfVerdict, countingFindings } from "../../src/governance/acts-of-verdict.ts";

type Standing = Pick<ComplianceRow, "status" | "score" | "policies" | "suspension">;

function finding(rule: string, over: Partial<KeptFinding> = {}): KeptFinding {
  return {
    rule,
    severity: "error",
    message: "bad",
    path: "spec",
    line: 1,
    howToFix: null,
    documentationUrl: null,
    exemption: null,
    ...over,
  };
}

function policy(findings: readonly KeptFinding[], over: Partial<PolicyResult["rulesets"][number]> = {}): PolicyResult {
  const isBad = findings.some(({ exemption }) => exemption === null);
  const status = isBad ? "FAILED" : "PASSED";
  const result = { ruleset: "safe", status, inputHash: "", rules: 4, findings, faults: [], ...over } as const;
  return { policy: "safety", status: isBad ? "VIOLATED" : "FOLLOWED", rulesets: [result] };
}

function standing(policies: readonly PolicyResult[], over: Partial<Standing> = {}): Standing {
  const isBad = policies.some(({ status }) => status === "VIOLATED");
  return {
    status: isBad ? "NON_COMPLIANT" : "COMPLIANT",
    score: isBad ? 50 : 100,
    policies,
    suspension: null,
    ...over,
  };
}

const fresh: Standing = { status: "PENDING", score: null, policies: [], suspension: null };
const acts = (before: Standing, after: Standing) => actsOfVerdict(before, after).map(({ act }) => act);

test("a first verdict, one that is worse and one that is mended each say what has changed, and the same says nothing", () => {
  const good = standing([policy([])]);
  const bad = standing([policy([finding("a"), finding("a", { path: "spec.x" }), finding("b")])]);
  expect(actsOfVerdict(fresh, good)).toEqual([
    { act: "compliance.changed", from_status: "PENDING", to_status: "COMPLIANT", score: 100, findings: 0 },
    { act: "policy.changed", policy: "safety", from_status: "UNAPPLIED", to_status: "FOLLOWED", findings: 0 },
  ]);
  expect(actsOfVerdict(good, bad)).toEqual([
    { act: "compliance.changed", from_status: "COMPLIANT", to_status: "NON_COMPLIANT", score: 50, findings: 3 },
    { act: "policy.changed", policy: "safety", from_status: "FOLLOWED", to_status: "VIOLATED", findings: 3 },
    { act: "rule.broken", policy: "safety", ruleset: "safe", rule: "a", findings: 2 },
    { act: "rule.broken", policy: "safety", ruleset: "safe", rule: "b", findings: 1 },
  ]);
  expect(actsOfVerdict(bad, bad)).toEqual([]);
  expect(acts(bad, good)).toEqual(["compliance.changed", "policy.changed", "rule.mended", "rule.mended"]);
});

test("a resource for which no rule is has no act, until one was for it", () => {
  const none: Standing = { ...fresh, status: "NOT_APPLICABLE" };
  expect(actsOfVerdict(fresh, none)).toEqual([]);
  expect(acts(standing([policy([])]), none)).toEqual(["compliance.changed"]);
});

test("a rule that could not be looked at, or whose ruleset is gone, is not called mended", () => {
  const bad = standing([policy([finding("a")])]);
  const faults = [{ rule: "a", message: "it never ends" }];
  expect(acts(bad, standing([policy([], { faults })]))).not.toContain("rule.mended");
  expect(acts(bad, standing([policy([], { faults: [{ rule: null, message: "" }] })]))).not.toContain("rule.mended");
  expect(acts(bad, standing([]))).not.toContain("rule.mended");
  expect(acts(bad, standing([policy([])]))).toContain("rule.mended");
});

test("an entry that is hidden or shown again, and an API that is suspended or answers again, are told with their rules", () => {
  const entry = { kind: "tool", name: "delete_all" } as const;
  const held = standing([policy([finding("a", { entry, isHeld: true })])]);
  const good = standing([policy([])]);
  expect(actsOfVerdict(good, held)).toContainEqual({
    act: "entry.quarantined",
    entry_kind: "tool",
    entry_name: "delete_all",
    policy: "safety",
    rule: "a",
  });
  expect(acts(held, good)).toContain("entry.released");
  const suspension = { policies: ["safety"], rules: ["a", "b"] };
  const off = { ...good, suspension };
  expect(actsOfVerdict(good, off)).toEqual([{ act: "api.suspended", policy: "safety", rule: "a,b" }]);
  expect(actsOfVerdict(off, good)).toEqual([{ act: "api.resumed", policy: "safety", rule: "a,b" }]);
  expect(actsOfVerdict(off, { ...off, suspension: { ...suspension, rules: ["a"] } })).toEqual([]);
});

test("an exemption begins and ends with what it is for, and is not called ended when that is mended", () => {
  const bad = standing([policy([finding("a")])]);
  const exempt = standing([policy([finding("a", { exemption: "known" })])]);
  const about = { ruleset: "safe", rule: "a", exemption: "known" };
  expect(actsOfVerdict(bad, exempt)).toContainEqual({ act: "exemption.granted", ...about });
  expect(actsOfVerdict(exempt, bad)).toContainEqual({ act: "exemption.ended", ...about });
  expect(acts(exempt, standing([policy([])]))).toEqual([]);
});

test("a finding of a ruleset that two policies have counts once, and a verdict tells of 200 rules at most", () => {
  const [one, two] = [policy([finding("a")]), { ...policy([finding("a")]), policy: "other" }];
  expect(countingFindings([one, two])).toBe(1);
  const many = Array.from({ length: 5_000 }, (_, index) => finding(`rule-${index}`));
  const told = acts(standing([policy([])]), standing([policy(many)]));
  expect(told.filter((act) => act === "rule.broken")).toHaveLength(200);
});

test("the guide has every act", async () => {
  const guide = await readFile(new URL("../../docs/guides/governance.md", import.meta.url), "utf8");
  for (const act of Object.keys(governanceActs)) expect(guide).toContain(`\`${act}\``);
});
