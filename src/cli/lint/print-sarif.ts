import type { Severity } from "../../governance/finding.ts";
import { gatehouseVersion } from "../../version.ts";
import { plainJson, plainText } from "../plain-text.ts";
import { findingPlace } from "./finding-place.ts";
import type { LintFinding, LintResult } from "./lint-result.ts";

const levels: Readonly<Record<Severity, string>> = { error: "error", warn: "warning", info: "note", hint: "note" };

/** SARIF 2.1.0 (OASIS), one run: results, the rules that they are of, and what could not be linted as notifications. */
export function printSarif(results: readonly LintResult[]): string {
  const findings = results.flatMap((result) => result.findings.map((finding) => ({ result, finding })));
  const rules = new Map(findings.map(({ finding }) => [finding.rule, finding]));
  const indexes = new Map([...rules.keys()].map((rule, index) => [rule, index]));
  const faults = results.flatMap((result) => result.faults.map((fault) => ({ result, fault })));
  const run = {
    tool: { driver: { name: "gatehouse", version: gatehouseVersion, rules: [...rules.values()].map(ruleOf) } },
    columnKind: "utf16CodeUnits",
    invocations: [
      {
        executionSuccessful: faults.length === 0,
        toolExecutionNotifications: faults.map(({ result, fault: { message, line } }) => ({
          level: "error",
          message: { text: plainText(message) },
          locations: [{ physicalLocation: artifact(result, line === undefined ? undefined : { startLine: line }) }],
        })),
      },
    ],
    results: findings.map(({ result, finding }) => ({
      ruleId: finding.rule,
      ruleIndex: indexes.get(finding.rule),
      level: levels[finding.severity],
      message: { text: textOf(finding) },
      locations: [locationOf(result, finding)],
    })),
  };
  return plainJson({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] });
}

function ruleOf({ rule, severity, howToFix, documentationUrl }: LintFinding) {
  return {
    id: rule,
    defaultConfiguration: { level: levels[severity] },
    ...(howToFix !== undefined && { help: { text: plainText(howToFix) } }),
    ...(documentationUrl !== undefined && URL.canParse(documentationUrl) && { helpUri: documentationUrl }),
  };
}

function textOf({ message, howToFix }: LintFinding): string {
  return plainText(howToFix === undefined ? message : `${message} ${howToFix}`);
}

function locationOf(result: LintResult, finding: LintFinding) {
  const { range } = finding;
  const region = range && {
    startLine: range.start.line + 1,
    startColumn: range.start.character + 1,
    endLine: range.end.line + 1,
    endColumn: range.end.character + 1,
  };
  const name = plainText(findingPlace(finding));
  return {
    physicalLocation: artifact(result, region),
    ...(name !== "" && { logicalLocations: [{ fullyQualifiedName: name }] }),
  };
}

/** A path is a reference below the checkout's root; what is no file keeps its address where that is a URI. */
function artifact({ source, isFile }: LintResult, region: object | undefined) {
  const relative = source.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  const uri = !isFile && /^(?:mcp\+)?https?:/.test(source) ? encodeURI(source) : relative;
  return { artifactLocation: { uri }, ...(region !== undefined && { region }) };
}
