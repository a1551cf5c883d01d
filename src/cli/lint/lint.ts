import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createRulesetEvaluator } from "../../governance/create-ruleset-evaluator.ts";
import type { Severity } from "../../governance/finding.ts";
import { severities } from "../../governance/finding.ts";
import type { SpectralChild } from "../../governance/spectral-child.ts";
import { createSpectralChild } from "../../governance/spectral-child.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { plainText } from "../plain-text.ts";
import type { Shell } from "../shell.ts";
import { chooseRulesets } from "./choose-rulesets.ts";
import { evaluateSubject } from "./evaluate-subject.ts";
import type { LintResult } from "./lint-result.ts";
import type { ReadSource } from "./lint-subject.ts";
import { summaryOf } from "./print-pretty.ts";
import { readTargets } from "./read-targets.ts";
import type { ReportFormat } from "./report-formats.ts";
import { printReport } from "./report-formats.ts";

/** As commander hands them over. */
export interface LintOptions {
  readonly stdio?: string;
  readonly ruleset?: readonly string[];
  readonly format: ReportFormat;
  readonly output?: string;
  readonly failSeverity: Severity;
  readonly quiet?: boolean;
  readonly era?: "legacy" | "modern";
  readonly authorizationFile?: string;
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  readonly config?: string;
}

/** Megabytes of the process that evaluates: whoever lints a large document has asked for it. */
const evaluatorMemoryMiB = 2_048;

/**
 * Holds documents and live MCP servers against rules and prints what was found. Gives the exit code: 0 for nothing of the
 * severity that fails or above, 1 for findings of it, 2 where something could not be linted. Throws for what is wrong with
 * the question itself: an option, a ruleset.
 */
export async function lint(targets: readonly string[], options: LintOptions, shell: Shell): Promise<0 | 1 | 2> {
  const { ruleset = [], failSeverity, quiet = false } = options;
  if (targets.length === 0 && options.stdio === undefined) {
    throw new GatewayError("request.invalid", "Say what to lint: files, directories, URLs, - or --stdio.");
  }
  const results: LintResult[] = [];
  await using evaluator = createRulesetEvaluator({
    clock: shell.clock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }, // what matters of it is a fault of a document
    startChild: () => startedChild(shell),
  });
  const rulesets = await chooseRulesets(ruleset, shell.cwd);
  const how = { evaluator, rulesets, timeoutMs: options.timeout * 1_000, cwd: shell.cwd };
  for await (const read of readTargets(targets, options, shell)) {
    results.push(isFault(read) ? failed(read) : await evaluateSubject(read, how));
  }
  const isAtFault = ({ severity }: { readonly severity: Severity }): boolean =>
    severities.indexOf(severity) <= severities.indexOf(failSeverity);
  const shown = quiet ? results.map((each) => ({ ...each, findings: each.findings.filter(isAtFault) })) : results;
  await tell(printReport(shown, options.format), options, shell);
  if (!quiet && (options.output !== undefined || options.format !== "pretty")) shell.note(summaryOf(results));
  if (results.some(({ faults }) => faults.length > 0)) return 2;
  return results.some(({ findings }) => findings.some(isAtFault)) ? 1 : 0;
}

/** Loads Spectral while this process reads documents, which are seldom without anything to evaluate. */
function startedChild({ clock }: Shell): SpectralChild {
  const child = createSpectralChild({ clock, memoryMiB: evaluatorMemoryMiB, priority: "usual" });
  child.prepare();
  return child;
}

async function tell(report: string, { output }: LintOptions, shell: Shell): Promise<void> {
  if (output === undefined) return report === "" ? undefined : shell.out(report);
  try {
    await writeFile(resolve(shell.cwd, output), `${report}\n`);
  } catch (cause) {
    throw new GatewayError("request.invalid", `The report cannot be written to ${plainText(output)}.`, { cause });
  }
}

function isFault(read: ReadSource): read is Extract<ReadSource, { readonly fault: unknown }> {
  return "fault" in read;
}

function failed({ source, isFile, fault }: Extract<ReadSource, { readonly fault: unknown }>): LintResult {
  return { source, isFile, title: "", rulesets: [], findings: [], faults: [fault] };
}
