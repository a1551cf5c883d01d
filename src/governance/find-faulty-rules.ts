import type { Finding, RuleFault } from "./finding.ts";
import type { EvaluateRequest, Evaluation } from "./ruleset-evaluator.ts";
import type { ChildOutcome, SpectralChild } from "./spectral-child.ts";

/** Milliseconds that one part of the rules may take, or less where all together may; most rules take some. */
const mostPartMs = 3_000;

/** Times that the process may be asked: a ruleset of nothing but rules without an end is not looked at to its last one. */
const mostParts = 64;

/**
 * Evaluates rule by rule what could not be evaluated as a whole: half of the rules, and half of those where that fails too,
 * until the ones at fault are alone. Their faults are told, and what the others find. Where no rule is needed to fail, it
 * is the document that cannot be read.
 */
export async function findFaultyRules(request: EvaluateRequest, child: SpectralChild): Promise<Evaluation> {
  const { bundle, document } = request;
  const partTimeoutMs = Math.min(mostPartMs, request.timeoutMs ?? mostPartMs);
  const names = await rulesOf(request, child);
  const without = await child.ask({ bundle, document, only: [] }, partTimeoutMs);
  if (without.type !== "done") {
    return {
      findings: [],
      rules: [],
      faults: [{ rule: undefined, message: `The document cannot be evaluated: ${reasonOf(without)}.` }],
    };
  }
  const findings: Finding[] = [...without.findings];
  const faults: RuleFault[] = [];
  const rules: string[] = [];
  const waiting: (readonly string[])[] = halvesOf(names);
  let parts = 0;
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.length === 0) continue;
    parts += 1;
    if (parts > mostParts) {
      faults.push(
        ...part.map((rule) => ({ rule, message: "It was not evaluated: too many others of its ruleset fail." })),
      );
      continue;
    }
    const outcome = await child.ask({ bundle, document, only: part }, partTimeoutMs);
    const [only = ""] = part;
    if (outcome.type === "done") {
      findings.push(...ofRules(outcome.findings, part));
      rules.push(...outcome.rules);
    } else if (part.length === 1) faults.push({ rule: only, message: `It cannot be evaluated: ${reasonOf(outcome)}.` });
    else waiting.push(...halvesOf(part));
  }
  return { findings: findings.toSorted(byPlace), rules, faults };
}

/** The rules that the ruleset has on, seen at a document that no rule finds anything in. */
async function rulesOf({ bundle, document }: EvaluateRequest, child: SpectralChild): Promise<readonly string[]> {
  const outcome = await child.ask({ bundle, document: { ...document, text: "{}" }, lists: true }, mostPartMs * 2);
  return outcome.type === "done" ? outcome.rules : [];
}

/** What reading the document itself has found was told once already. */
function ofRules(findings: readonly Finding[], rules: readonly string[]): readonly Finding[] {
  return findings.filter(({ rule }) => rules.includes(rule));
}

function halvesOf(names: readonly string[]): (readonly string[])[] {
  const middle = Math.ceil(names.length / 2);
  return [names.slice(middle), names.slice(0, middle)];
}

function reasonOf(outcome: ChildOutcome): string {
  switch (outcome.type) {
    case "cut-off":
    case "lost":
      return outcome.reason;
    case "failed":
      return outcome.message;
    case "invalid":
      return outcome.issues.map(({ message }) => message).join("; ");
    case "done":
      return "it can";
  }
}

function byPlace({ range: { start: left } }: Finding, { range: { start: right } }: Finding): number {
  return left.line - right.line || left.character - right.character;
}
