import { relative, resolve } from "node:path";
import type { Finding } from "../../governance/finding.ts";
import type { RulesetEvaluator } from "../../governance/ruleset-evaluator.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { ChosenRulesets } from "./choose-rulesets.ts";
import type { LintFault, LintFinding, LintResult } from "./lint-result.ts";
import type { LintPart, LintSubject } from "./lint-subject.ts";

export interface EvaluateOptions {
  readonly evaluator: RulesetEvaluator;
  readonly rulesets: ChosenRulesets;
  /** For one pass over one document. */
  readonly timeoutMs: number;
  readonly cwd: string;
}

/** Holds a subject against its rulesets. Faults of rules and of the document are values; it rejects for a ruleset that is none. */
export async function evaluateSubject(subject: LintSubject, options: EvaluateOptions): Promise<LintResult> {
  const { source, isFile, title } = subject;
  const names = new Set<string>();
  const findings: LintFinding[] = [...subject.findings];
  const faults: LintFault[] = [];
  for (const part of subject.parts) {
    const chosen = options.rulesets.for(part);
    if (chosen === undefined) continue;
    for (const name of chosen.names) names.add(name);
    const found = await evaluatePart(subject, part, chosen.bundle, options);
    findings.push(...found.findings);
    faults.push(...found.faults);
  }
  return { source, isFile, title, rulesets: [...names], findings: findings.toSorted(byPlace), faults };
}

async function evaluatePart(
  { source, isFile }: LintSubject,
  { text, place }: LintPart,
  bundle: Parameters<RulesetEvaluator["evaluate"]>[0]["bundle"],
  { evaluator, rulesets, timeoutMs, cwd }: EvaluateOptions,
): Promise<{ readonly findings: readonly LintFinding[]; readonly faults: readonly LintFault[] }> {
  const path = isFile ? relative(rulesets.folder, resolve(cwd, source)).replace(/^(?:\.\.[\\/])+/, "") : undefined;
  const document = { text, ...(path !== undefined && { source: path.replaceAll("\\", "/") }) };
  try {
    const evaluation = await evaluator.evaluate({ bundle, document, timeoutMs, isUrgent: true });
    const isBroken = ({ rule, severity }: Finding): boolean => rule === "parser" && severity === "error";
    const broken = evaluation.findings.filter(isBroken);
    return {
      findings: evaluation.findings.filter((each) => !isBroken(each)).map((each) => place?.(each) ?? each),
      faults: [
        ...broken.map(({ message, range }) => ({ message, line: range.start.line + 1 })),
        ...evaluation.faults.map(({ rule, message }) => ({
          message: rule === undefined ? message : `${rule}: ${message}`,
        })),
      ],
    };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "resource.invalid") throw error;
    throw new GatewayError(error.code, await rulesets.explain(error, evaluator), { cause: error });
  }
}

function byPlace({ range: left }: LintFinding, { range: right }: LintFinding): number {
  if (left === undefined || right === undefined) return 0;
  return left.start.line - right.start.line || left.start.character - right.start.character;
}
