import { severities } from "../../governance/finding.ts";
import { plainText } from "../plain-text.ts";
import { findingPlace } from "./finding-place.ts";
import type { LintFinding, LintResult } from "./lint-result.ts";
import { countSeverities } from "./lint-result.ts";

/** For people: each document, its findings, and one line about all. */
export function printPretty(results: readonly LintResult[]): string {
  const blocks = results.filter(({ findings, faults }) => findings.length + faults.length > 0).map(blockOf);
  return [...blocks, summaryOf(results)].join("\n\n");
}

/** One line about all of it: `3 documents: 1 error, 2 warn`. */
export function summaryOf(results: readonly LintResult[]): string {
  const counts = countSeverities(results);
  const found = severities.flatMap((each) => (counts[each] === 0 ? [] : [`${counts[each]} ${each}`]));
  const failures = results.filter(({ faults }) => faults.length > 0).length;
  const documents = `${results.length} ${results.length === 1 ? "document" : "documents"}`;
  const missed = failures === 0 ? "" : `; ${failures} could not be linted`;
  return `${documents}: ${found.length === 0 ? "nothing found" : found.join(", ")}${missed}`;
}

function blockOf({ source, title, rulesets, findings, faults }: LintResult): string {
  const against = rulesets.length === 0 ? "" : `, by ${rulesets.join(", ")}`;
  const heading = plainText(title === "" ? source : `${source}  ${title}${against}`);
  const failed = faults.map(({ message, line }) => plainText(`  could not be linted: ${lineText(line)}${message}`));
  return [heading, ...failed, ...findings.flatMap(findingLines)].join("\n");
}

function findingLines(finding: LintFinding): readonly string[] {
  const { range, severity, rule, message, howToFix } = finding;
  const at = range === undefined ? "" : `${range.start.line + 1}:${range.start.character + 1}  `;
  const first = `  ${at}${severity}  ${rule}  ${cut(message)}`;
  const place = findingPlace(finding);
  const more = [
    place === "" ? undefined : `at ${cut(place)}`,
    howToFix === undefined ? undefined : `fix: ${cut(howToFix)}`,
  ];
  return [first, ...more.flatMap((line) => (line === undefined ? [] : [`      ${line}`]))].map(plainText);
}

function lineText(line: number | undefined): string {
  return line === undefined ? "" : `line ${line}: `;
}

function cut(text: string): string {
  return text.length > 1_000 ? `${text.slice(0, 1_000)}…` : text;
}
