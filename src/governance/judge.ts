import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { CatalogTransaction } from "../core/catalog.ts";
import type { KeptFinding, McpEntry, PolicyResult, RulesetResult } from "../core/compliance-tables.ts";
import { contentHash } from "../core/content-hash.ts";
import type { GovernedSubject, Verdict } from "../core/governance-gate.ts";
import type { GovernancePolicySpec } from "../core/governance-policy.ts";
import type { GovernedState } from "../core/governed-kinds.ts";
import { findingSeverities } from "../core/governed-kinds.ts";
import { fieldPath } from "../core/parse-document.ts";
import type { RulesetSpec } from "../core/ruleset.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { documentOf } from "./document-of.ts";
import type { Finding } from "./finding.ts";
import type { RuleBook } from "./rule-book.ts";
import { isTarget } from "./rule-book.ts";
import type { GovernedDocument, RulesetEvaluator } from "./ruleset-evaluator.ts";
import { isUnread, notEvaluated } from "./unread-document.ts";

export interface JudgeParts {
  readonly read: CatalogTransaction;
  readonly evaluator: RulesetEvaluator;
  readonly book: RuleBook;
  readonly nowMs: number;
  /** What was found before: of the same rules in the same document nothing else will be. */
  readonly before?: readonly PolicyResult[];
  readonly isUrgent?: boolean;
}

/** Holds a resource against all policies that are for it. Rejects with `governance.unavailable` where that cannot be done. */
export async function judge(parts: JudgeParts, subject: GovernedSubject): Promise<Verdict> {
  const policies: PolicyResult[] = [];
  const blocked = { deploy: 0, publish: 0 };
  const read = readOnce(parts, subject);
  const found = new Map<string, Promise<Evaluated>>();
  for (const policy of parts.book.policies.filter(({ spec }) => isTarget(spec, subject))) {
    const rulesets: RulesetResult[] = [];
    for (const name of policy.spec.rulesets)
      rulesets.push(await holdAgainst({ ...parts, read, found }, subject, name, policy.spec));
    const status = statusOf(rulesets.map((result) => result.status));
    policies.push({ policy: policy.name, status, rulesets });
    for (const state of ["deploy", "publish"] as const)
      blocked[state] += blocking(policy.spec, [state], rulesets).length;
  }
  const { kind, name } = subject;
  return { kind, name, status: compliance(policies), score: scoreOf(policies), policies, blocked };
}

/** The findings of a policy that block one of the states. */
export function blocking(
  policy: GovernancePolicySpec,
  states: readonly GovernedState[],
  rulesets: readonly RulesetResult[],
): readonly KeptFinding[] {
  const blocks = (finding: KeptFinding): boolean =>
    finding.exemption === null &&
    policy.actions.some(
      ({ state, severity, type }) => type === "block" && severity === finding.severity && states.includes(state),
    );
  return rulesets.flatMap(({ findings }) => findings.filter(blocks));
}

interface SeenDocument {
  readonly document: GovernedDocument;
  readonly hash: string;
}

type ReadOnce = (type: RulesetSpec["type"]) => Promise<SeenDocument | undefined>;

/**
 * What rulesets see of a resource, made and hashed once for all of them: a description of some megabytes keeps the
 * processor busy for a tenth of a second each time. Between the parts of that work others have their turn.
 */
function readOnce({ read }: JudgeParts, subject: GovernedSubject): ReadOnce {
  const made = new Map<RulesetSpec["type"], ReturnType<ReadOnce>>();
  const make: ReadOnce = async (type) => {
    await nextTurn();
    const document = await documentOf(read, subject, type);
    if (document === undefined) return undefined;
    await nextTurn();
    return { document, hash: createHash("sha256").update(document.text).digest("hex") };
  };
  return (type) => {
    const known = made.get(type) ?? make(type);
    made.set(type, known);
    return known;
  };
}

interface HoldParts extends Omit<JudgeParts, "read"> {
  readonly read: ReadOnce;
  /** What was found with the same rules for another policy, by the hash of both. */
  readonly found: Map<string, Promise<Evaluated>>;
}

async function holdAgainst(
  parts: HoldParts,
  subject: GovernedSubject,
  name: string,
  { threshold, actions }: GovernancePolicySpec,
): Promise<RulesetResult> {
  const known = parts.book.ruleset(name);
  if (known === undefined) return unapplied(name, [{ rule: null, message: `there is no ruleset ${name}` }]);
  const isFor = known.artifacts.some((kind) => kind === subject.kind);
  const seen = isFor ? await parts.read(known.type) : undefined;
  if (seen === undefined) return unapplied(name, []);
  const { document } = seen;
  try {
    const { bundle, hash } = await parts.book.bundle(name);
    const inputHash = contentHash([hash, seen.hash, document.source]);
    const before = parts.before
      ?.flatMap(({ rulesets }) => rulesets)
      .find((each) => each.inputHash === inputHash && !isUnread(each));
    const now = before ?? parts.found.get(inputHash) ?? evaluated(parts, bundle, document, inputHash);
    if (before === undefined) parts.found.set(inputHash, Promise.resolve(now));
    const found = await now;
    const findings = found.findings.map(({ isHeld: _, ...each }) => {
      const exemption = exemptionOf(parts, subject, name, each);
      const isHeld = exemption === null && each.entry !== undefined && wantsQuarantine(actions, each.severity);
      return { ...each, exemption, ...(isHeld && { isHeld }) };
    });
    const counts = findings.some((each) => each.exemption === null && weighs(each.severity, threshold));
    const isApplied = found.rules > 0 || isUnread(found);
    const status = !isApplied ? "UNAPPLIED" : counts ? "FAILED" : "PASSED";
    return { ...found, ruleset: name, status, findings };
  } catch (error) {
    // The ruleset's own fault: it says nothing of the resource.
    if (!(error instanceof GatewayError) || error.code !== "resource.invalid") throw error;
    return unapplied(name, [{ rule: null, message: error.message }]);
  }
}

type Evaluated = Pick<RulesetResult, "inputHash" | "rules" | "findings" | "faults">;

async function evaluated(
  { evaluator, isUrgent = false }: Pick<JudgeParts, "evaluator" | "isUrgent">,
  ...[bundle, document, inputHash]: readonly [...Parameters<typeof requestOf>, string]
): Promise<Evaluated> {
  const entries = entriesOf(document);
  await nextTurn(); // its text is written for the other process next
  const { findings, faults, rules } = await evaluator.evaluate({ ...requestOf(bundle, document), isUrgent });
  const unread = rules.length === 0 ? faults.find(({ rule }) => rule === undefined) : undefined;
  const all = [
    ...(unread === undefined ? [] : [notEvaluated(unread.message)]),
    ...findings.map((each) => kept(each, entries(each.path))),
  ];
  const most = mostTelling(all);
  return {
    inputHash,
    rules: rules.length,
    findings: most,
    faults: [...faults.map(({ rule, message }) => ({ rule: rule ?? null, message })), ...untold(all, most)],
  };
}

function requestOf(
  bundle: Parameters<RulesetEvaluator["evaluate"]>[0]["bundle"],
  document: Parameters<RulesetEvaluator["evaluate"]>[0]["document"],
) {
  return { bundle, document };
}

/** Findings of one ruleset in one resource that are kept, but for the first of each rule in each entry of an MCP server. */
const mostFindings = 1_000;

/**
 * The gravest, in the order of the document: nobody gets an error past a policy by a thousand hints before it, nor keeps a
 * tool out of quarantine by a thousand faults in another one.
 */
function mostTelling(findings: readonly KeptFinding[]): readonly KeptFinding[] {
  if (findings.length <= mostFindings) return findings;
  const weight = ({ severity }: KeptFinding): number => findingSeverities.indexOf(severity);
  const gravest = new Set(findings.toSorted((left, right) => weight(left) - weight(right)).slice(0, mostFindings));
  const known = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.rule, finding.entry]);
    const isFirst = !known.has(key);
    known.add(key);
    return isFirst || gravest.has(finding);
  });
}

/** Of each rule that has more findings than are kept, how many. */
function untold(all: readonly KeptFinding[], most: readonly KeptFinding[]): RulesetResult["faults"] {
  if (all.length === most.length) return [];
  const shown = new Map(all.map(({ rule }) => [rule, { all: 0, most: 0 }]));
  const count = (findings: readonly KeptFinding[], as: "all" | "most"): void => {
    for (const { rule } of findings) {
      const counts = shown.get(rule);
      if (counts !== undefined) counts[as] += 1;
    }
  };
  count(all, "all");
  count(most, "most");
  return [...shown].flatMap(([rule, counts]) =>
    counts.most < counts.all
      ? [{ rule, message: `It finds ${counts.all} places, of which ${counts.most} are kept.` }]
      : [],
  );
}

function wantsQuarantine(actions: GovernancePolicySpec["actions"], severity: KeptFinding["severity"]): boolean {
  return actions.some((action) => action.type === "quarantine" && action.severity === severity);
}

/** Where a document lists what an MCP server offers, and by which member an entry is known. */
const offers: Readonly<Record<string, readonly [kind: McpEntry["kind"], by: string]>> = {
  tools: ["tool", "name"],
  prompts: ["prompt", "name"],
  resources: ["resource", "uri"],
  resourceTemplates: ["template", "uriTemplate"],
};

/** Tells of a finding's path which entry of an MCP server it is in. */
function entriesOf({ text }: GovernedDocument): (path: Finding["path"]) => McpEntry | undefined {
  let read: unknown;
  return ([list, index]) => {
    if (list === "instructions") return { kind: "instructions", name: "instructions" };
    const offer = typeof list === "string" && Object.hasOwn(offers, list) ? offers[list] : undefined;
    if (offer === undefined || index === undefined) return undefined;
    read ??= parseJson(text);
    const [kind, by] = offer;
    const name = [list, index, by].reduce<unknown>(
      (at, step) => (typeof at === "object" && at !== null ? Reflect.get(at, String(step)) : undefined),
      read,
    );
    return typeof name === "string" ? { kind, name } : undefined;
  };
}

function kept(
  { rule, severity, message, path, range, howToFix, documentationUrl }: Finding,
  entry: McpEntry | undefined,
): KeptFinding {
  return {
    rule,
    severity,
    message,
    path: fieldPath(path),
    line: range.start.line + 1,
    howToFix: howToFix ?? null,
    documentationUrl: documentationUrl ?? null,
    exemption: null,
    ...(entry !== undefined && { entry }),
  };
}

function exemptionOf(
  { book, nowMs }: Pick<JudgeParts, "book" | "nowMs">,
  { kind, name }: GovernedSubject,
  ruleset: string,
  finding: KeptFinding,
): string | null {
  const found = book.exemptions.find(({ spec }) => {
    const { artifact, rule, path, expiresAt } = spec;
    if (artifact.kind !== kind || artifact.name !== name || rule !== finding.rule) return false;
    if (spec.ruleset !== undefined && spec.ruleset !== ruleset) return false;
    if (expiresAt !== undefined && Date.parse(expiresAt) <= nowMs) return false;
    return path === undefined || finding.path === path || /^[.[]/.test(below(finding.path, path));
  });
  return found?.name ?? null;
}

function below(path: string, outer: string): string {
  return path.startsWith(outer) ? path.slice(outer.length) : "";
}

function weighs(severity: KeptFinding["severity"], threshold: KeptFinding["severity"]): boolean {
  return findingSeverities.indexOf(severity) <= findingSeverities.indexOf(threshold);
}

function unapplied(ruleset: string, faults: RulesetResult["faults"]): RulesetResult {
  return { ruleset, status: "UNAPPLIED", inputHash: "", rules: 0, findings: [], faults };
}

function statusOf(rulesets: readonly RulesetResult["status"][]): PolicyResult["status"] {
  if (rulesets.includes("FAILED")) return "VIOLATED";
  return rulesets.includes("PASSED") ? "FOLLOWED" : "UNAPPLIED";
}

function compliance(policies: readonly PolicyResult[]): Verdict["status"] {
  if (policies.some(({ status }) => status === "VIOLATED")) return "NON_COMPLIANT";
  return policies.some(({ status }) => status === "FOLLOWED") ? "COMPLIANT" : "NOT_APPLICABLE";
}

/** The share of rules that are kept, in hundredths. */
function scoreOf(policies: readonly PolicyResult[]): number | null {
  const results = new Map(policies.flatMap(({ rulesets }) => rulesets).map((result) => [result.ruleset, result]));
  const all = [...results.values()];
  const rules = all.reduce((sum, result) => sum + result.rules, 0);
  const broken = all.reduce(
    (sum, { findings }) =>
      sum + new Set(findings.filter((each) => each.exemption === null).map(({ rule }) => rule)).size,
    0,
  );
  return rules === 0 ? null : Math.max(0, Math.round((100 * (rules - broken)) / rules));
}
