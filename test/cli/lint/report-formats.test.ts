import { expect, test } from "vitest";
import type { LintResult } from "../../../src/cli/lint/lint-result.ts";
import { printReport, reportFormats } from "../../../src/cli/lint/report-formats.ts";

const hostile = 'a\u001b[2J\u202e\u009b,b:c%\n::stop-commands::x ##vso[task.x]y <&"\u0000';

const results: readonly LintResult[] = [
  {
    source: "a b,c.yaml",
    isFile: true,
    title: hostile,
    rulesets: ["mine"],
    findings: [
      {
        rule: "no-hidden",
        severity: "warn",
        message: hostile,
        path: ["tools", 0],
        range: { start: { line: 0, character: 1 }, end: { line: 0, character: 3 } },
        howToFix: hostile,
      },
    ],
    faults: [{ message: hostile, line: 3 }],
  },
];

test.each(reportFormats)("in the form %s nothing of hostile words reaches a terminal or a runner", (format) => {
  const report = printReport(results, format);
  expect(report.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(report).not.toContain("##vso[");
  const own = format === "github" ? /^::(?!(?:error|warning) )/m : /^\s*::/m;
  expect(report).not.toMatch(own);
});

test("JSON gives the words back as they were", () => {
  expect(JSON.parse(printReport(results, "json")).documents[0].findings[0].message).toBe(hostile);
});

test("a workflow command has its properties and its words escaped", () => {
  const [, warning] = printReport(results, "github").split("\n");
  expect(warning).toMatch(/^::warning file=a b%2Cc\.yaml,line=1,endLine=1,col=2,endColumn=4,title=no-hidden::a/);
  expect(warning).toContain("b:c%25 ::stop-commands");
  expect(warning).toContain("%0A");
});

test("JUnit's XML has its attributes and texts escaped", () => {
  const report = printReport(results, "junit");
  expect(report).toContain("&lt;&amp;&quot;");
  expect(report.replace(/&(?:lt|gt|amp|quot);/g, "")).not.toContain("&");
});
