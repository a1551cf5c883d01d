import { plainText } from "../plain-text.ts";
import { findingPlace } from "./finding-place.ts";
import type { LintResult } from "./lint-result.ts";

/** JUnit's XML: a suite for each document, a failed case for each finding, a case that passed where there is none. */
export function printJunit(results: readonly LintResult[]): string {
  const counts = results.map(({ findings, faults }) => ({
    tests: Math.max(1, findings.length + faults.length),
    failures: findings.length,
    errors: faults.length,
  }));
  const sum = (of: "tests" | "failures" | "errors"): number => counts.reduce((total, each) => total + each[of], 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "gatehouse lint", tests: sum("tests"), failures: sum("failures"), errors: sum("errors") })}>`,
    ...results.map((result, at) => suiteOf(result, counts[at] ?? {})),
    "</testsuites>",
  ].join("\n");
}

function suiteOf(result: LintResult, counts: Readonly<Record<string, number>>): string {
  const { source, title, findings, faults } = result;
  const classname = source;
  const cases = [
    ...faults.map(({ message, line }) =>
      caseOf({ classname, name: "could not be linted", line }, "error", { message, type: "fault" }, plainText(message)),
    ),
    ...findings.map((finding) => {
      const { rule, severity, message, range, howToFix } = finding;
      const place = findingPlace(finding);
      const text = [message, ...(place === "" ? [] : [`at ${place}`]), ...(howToFix === undefined ? [] : [howToFix])];
      const line = range === undefined ? undefined : range.start.line + 1;
      const name = place === "" ? rule : `${rule} ${place}`;
      return caseOf({ classname, name, line }, "failure", { message, type: severity }, text.map(plainText).join("\n"));
    }),
  ];
  const passed = `    <testcase${attributes({ classname, name: title })}/>`;
  const own = attributes({ name: source, ...counts });
  return [`  <testsuite${own}>`, ...(cases.length === 0 ? [passed] : cases), "  </testsuite>"].join("\n");
}

type Attributes = Readonly<Record<string, string | number | undefined>>;

function caseOf(own: Attributes, element: "failure" | "error", inner: Attributes, text: string): string {
  const words = escapeXml(text.split("\n").map(plainText).join("\n"));
  return `    <testcase${attributes(own)}><${element}${attributes(inner)}>${words}</${element}></testcase>`;
}

function attributes(values: Attributes): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escapeXml(plainText(String(value)))}"`]))
    .join("");
}

/** U+FFFE and U+FFFF are no characters of XML 1.0 (2.2); control characters and lone surrogates are gone already. */
function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/[\uFFFE\uFFFF]/g, "\uFFFD");
}
