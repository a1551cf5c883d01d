import { describe, expect, test } from "vitest";
import { clientsAreInstalled } from "../clients/install-clients.ts";
import { bridgeGaps } from "./bridge-expected.ts";
import { startConformanceTarget } from "./conformance-target.ts";
import type { Suite } from "./run-suite.ts";
import { runSuite, suites } from "./run-suite.ts";

const [stable, sessions, stateless] = suites as [Suite, Suite, Suite]; // the list is these three

/** Each suite against a server that has never heard of the suite's era, and against one of its own by way of a bridge. */
const whole = [
  { name: "0.1.16 against a stateless server", suite: stable, era: "modern", upstream: {} },
  { name: "2025-11-25 against a stateless server", suite: sessions, era: "modern", upstream: {} },
  {
    name: "2025-11-25, bridged to its own era",
    suite: sessions,
    era: "legacy",
    upstream: { bridge: { mode: "always" } },
  },
  {
    name: "2026-07-28, bridged to its own era",
    suite: stateless,
    era: "modern",
    upstream: { bridge: { mode: "always" } },
  },
] as const;

describe.skipIf(!clientsAreInstalled())("the official suites, over a bridge", () => {
  test.each(whole)("$name reaches the bar of the relay", async ({ suite, era, upstream }) => {
    await using target = await startConformanceTarget({ era, upstream });
    const { faults, passed, failed } = await runSuite(suite, target.url);
    expect({ faults, passed: Math.min(passed, suite.bar), failed }).toEqual({
      faults: [],
      passed: suite.bar,
      failed: 0,
    });
  });

  test("2026-07-28 against a server of sessions misses what is listed, and nothing else", async () => {
    await using target = await startConformanceTarget({ era: "legacy", upstream: { bridge: { park: true } } });
    const { scenarios, passed } = await runSuite(stateless, target.url);
    const missed = scenarios.filter(({ scored, failed }) => scored && failed > 0);
    expect(missed.map(({ name, failed }) => `${name}: ${failed}`).toSorted()).toEqual(
      bridgeGaps.map(({ scenario, checks }) => `${scenario}: ${checks}`).toSorted(),
    );
    expect(passed).toBeGreaterThanOrEqual(113); // a failed check may leave others of its scenario unasked
  });
});
