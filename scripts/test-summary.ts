import { globSync, readFileSync } from "node:fs";
import { relative } from "node:path";

/** What of Vitest's JSON report (Jest's shape) the verdict needs. */
export interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface TestVerdict {
  readonly passed: number;
  readonly failed: number;
  /** Why the run does not count although every test that ran may have passed. */
  readonly faults: readonly string[];
}

/**
 * Counts a run and looks for what a green run can hide: a suite that ran no test, a test that was skipped (on a build
 * machine everything that a test needs must be there), a test file that was never run.
 * @param expectedFiles the test files of the repository, relative to `root`
 */
export function judgeRun(report: TestReport, expectedFiles: readonly string[], root: string): TestVerdict {
  const suites = report.testResults.map((suite) => ({ ...suite, file: relative(root, suite.name) }));
  const tests = suites.flatMap((suite) => suite.assertionResults.map((test) => ({ ...test, file: suite.file })));
  const seen = new Set(suites.map((suite) => suite.file));
  return {
    passed: tests.filter((test) => test.status === "passed").length,
    failed: tests.filter((test) => test.status === "failed").length,
    faults: [
      ...suites.filter((suite) => suite.assertionResults.length === 0).map((suite) => `ran no test: ${suite.file}`),
      ...tests
        .filter((test) => test.status !== "passed" && test.status !== "failed")
        .map((test) => `${test.status}: ${test.file}: ${test.fullName}`),
      ...expectedFiles.filter((file) => !seen.has(file)).map((file) => `never run: ${file}`),
      ...(tests.length === 0 ? ["no test ran at all"] : []),
    ],
  };
}

if (import.meta.main) main(process.argv[2] ?? "");

function main(reportFile: string): void {
  const report = JSON.parse(readFileSync(reportFile, "utf8")) as TestReport; // the shape that Vitest documents
  const verdict = judgeRun(report, globSync("test/**/*.test.ts", { exclude: ["**/node_modules/**"] }), process.cwd());
  for (const fault of verdict.faults) console.error(fault);
  if (verdict.failed > 0 || verdict.faults.length > 0) process.exitCode = 1;
  console.log(`${verdict.passed} passed, ${verdict.failed} failed`);
}
