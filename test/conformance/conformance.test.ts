import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientsAreInstalled } from "../clients/install-clients.ts";
import type { ConformanceTarget } from "./conformance-target.ts";
import { startConformanceTarget } from "./conformance-target.ts";
import { expectedFailures, flaky, runSuite, suites } from "./run-suite.ts";

let target: ConformanceTarget;

beforeAll(async () => {
  target = await startConformanceTarget();
});

afterAll(() => target[Symbol.asyncDispose]());

describe.skipIf(!clientsAreInstalled())("the official suites, through the gateway with keys", () => {
  test.each(suites)("$name reaches its bar", async (suite) => {
    const { faults, passed, failed, repeated } = await runSuite(suite, target.url);
    expect({ faults, passed: Math.min(passed, suite.bar), failed }).toEqual({
      faults: [],
      passed: suite.bar,
      failed: 0,
    });
    for (const name of repeated) expect(name).toMatch(flaky);
    expect(new Set(repeated).size).toBe(repeated.length); // one repetition for each, at most
  });

  test("a gateway that answers nothing misses every bar", async () => {
    for (const suite of suites) {
      const { faults, passed } = await runSuite(suite, target.url.replace("/mcp", "/nowhere"));
      expect(faults.length).toBeGreaterThan(0);
      expect(passed).toBeLessThan(suite.bar);
    }
  });
});

test("no failure is expected", () => {
  expect(expectedFailures).toEqual([]);
});
