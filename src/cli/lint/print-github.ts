import type { Severity } from "../../governance/finding.ts";
import { plainText } from "../plain-text.ts";
import { findingPlace } from "./finding-place.ts";
import type { LintFinding, LintResult } from "./lint-result.ts";

/** Workflow commands of GitHub Actions, which put findings beside the lines of a pull request. */
export function printGithub(results: readonly LintResult[]): string {
  return results
    .flatMap((result) => [
      ...result.faults.map(({ message, line }) =>
        command(
          "error",
          { ...fileOf(result), line, title: "could not be linted" },
          outside(result, plainText(message)),
        ),
      ),
      ...result.findings.map((finding) => findingCommand(result, finding)),
    ])
    .join("\n");
}

const levels: Readonly<Record<Severity, string>> = { error: "error", warn: "warning", info: "notice", hint: "notice" };

function findingCommand(result: LintResult, finding: LintFinding): string {
  const { severity, rule, message, howToFix, range } = finding;
  const place = findingPlace(finding);
  const words = [place === "" ? message : `${message} (${place})`, ...(howToFix === undefined ? [] : [howToFix])];
  const text = outside(result, words.map(plainText).join("\n"));
  return command(levels[severity], { ...fileOf(result), ...placeOf(range), title: rule }, text);
}

/** Columns are for one line only, as GitHub has it. */
function placeOf(range: LintFinding["range"]): Readonly<Record<string, number>> {
  if (range === undefined) return {};
  const { start, end } = range;
  const lines = { line: start.line + 1, endLine: end.line + 1 };
  return start.line === end.line ? { ...lines, col: start.character + 1, endColumn: end.character + 1 } : lines;
}

function fileOf({ source, isFile }: LintResult): Readonly<Record<string, string>> {
  return isFile ? { file: source } : {};
}

function outside({ source, isFile }: LintResult, text: string): string {
  return isFile ? text : `${plainText(source)}: ${text}`;
}

function command(
  name: string,
  properties: Readonly<Record<string, string | number | undefined>>,
  text: string,
): string {
  const told = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapeProperty(plainText(String(value)))}`],
  );
  return `::${name}${told.length === 0 ? "" : ` ${told.join(",")}`}::${escapeData(lines(text))}`;
}

/** Our own ends of lines stay, as `%0A`; nothing else of a text's is left that is none. */
function lines(text: string): string {
  return text.split("\n").map(plainText).join("\n");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
