import { describe, expect, test } from "vitest";
import type { TestReport } from "../../scripts/test-summary.ts";
import { judgeRun } from "../../scripts/test-summary.ts";

describe("the verdict over a test run", () => {
  test("counts what passed and what failed", () => {
    const report = run({ "test/a.test.ts": ["passed", "passed", "failed"] });
    expect(judgeRun(report, ["test/a.test.ts"], "/p")).toEqual({ passed: 2, failed: 1, faults: [] });
  });

  test("names a suite that ran no test", () => {
    const report = run({ "test/a.test.ts": ["passed"], "test/b.test.ts": [] });
    expect(judgeRun(report, ["test/a.test.ts"], "/p").faults).toEqual(["ran no test: test/b.test.ts"]);
  });

  test("names a skipped test", () => {
    const report = run({ "test/a.test.ts": ["passed", "skipped"] });
    expect(judgeRun(report, [], "/p").faults).toEqual(["skipped: test/a.test.ts: test 1"]);
  });

  test("names a test file that the run left out", () => {
    const report = run({ "test/a.test.ts": ["passed"] });
    expect(judgeRun(report, ["test/a.test.ts", "test/z.test.ts"], "/p").faults).toEqual(["never run: test/z.test.ts"]);
  });

  test("does not accept a run without any test", () => {
    expect(judgeRun(run({}), [], "/p").faults).toEqual(["no test ran at all"]);
  });
});

function run(suites: Readonly<Record<string, readonly string[]>>): TestReport {
  return {
    testResults: Object.entries(suites).map(([file, statuses]) => ({
      name: `/p/${file}`,
      assertionResults: statuses.map((status, index) => ({ status, fullName: `test ${index}` })),
    })),
  };
}
