import { spawn } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { clientFile } from "../clients/install-clients.ts";

/** One run of the official conformance suite: which release of it, what it is asked to run, and what must come out. */
export interface Suite {
  readonly name: string;
  /** The package's name in test/clients. */
  readonly release: "conformance-stable" | "conformance-next";
  readonly args: readonly string[];
  /** Checks of scored scenarios that must pass. None may fail. */
  readonly bar: number;
}

export const suites: readonly Suite[] = [
  { name: "0.1.16, all", release: "conformance-stable", args: ["--suite", "all"], bar: 44 },
  { name: "0.2.0-alpha.12, 2025-11-25", release: "conformance-next", args: ["--requirements", "2025-11-25"], bar: 70 },
  { name: "0.2.0-alpha.12, 2026-07-28", release: "conformance-next", args: ["--requirements", "2026-07-28"], bar: 120 },
];

/**
 * Scenarios that fail and are known to. The list may only shrink, and it is empty: whoever adds to it must say why in
 * an issue. An entry that does not fail any more is a failure of its own.
 */
export const expectedFailures: readonly string[] = [];

/** Scenarios whose checks race in the suite itself; one repetition is allowed, and counted. */
export const flaky = /^(tools-call-(sampling|elicitation)|elicitation-)/;

export interface ScenarioResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  /** False for scenarios that the suite runs but the requirements leave out. */
  readonly scored: boolean;
}

export interface SuiteResult {
  readonly scenarios: readonly ScenarioResult[];
  readonly passed: number;
  readonly failed: number;
  /** Scenarios that were run again, once for each time. */
  readonly repeated: readonly string[];
  /** Why the bar was missed; empty when it was reached. */
  readonly faults: readonly string[];
  readonly output: string;
}

/** Runs a suite against the server at `url`. Rejects when the suite itself does not run to its end. */
export async function runSuite(suite: Suite, url: string): Promise<SuiteResult> {
  const output = await runCli(suite, ["--url", url, ...suite.args]);
  const first = readSummary(output);
  const again = first.filter(({ name, failed }) => failed > 0 && flaky.test(name)).map(({ name }) => name);
  const repeated: string[] = [];
  const scenarios: ScenarioResult[] = [];
  for (const result of first) {
    if (again.includes(result.name)) repeated.push(result.name);
    scenarios.push(again.includes(result.name) ? await repeat(suite, result, url) : result);
  }
  const scored = scenarios.filter((scenario) => scenario.scored);
  const passed = scored.reduce((sum, scenario) => sum + scenario.passed, 0);
  const failed = scored.reduce((sum, scenario) => sum + scenario.failed, 0);
  const bad = scored.filter((scenario) => scenario.failed > 0).map(({ name }) => name);
  const faults = [
    ...bad.filter((name) => !expectedFailures.includes(name)).map((name) => `failed: ${name}`),
    ...expectedFailures
      .filter((name) => scored.some((scenario) => scenario.name === name) && !bad.includes(name))
      .map((name) => `listed as an expected failure, but passes: ${name}`),
    ...(bad.length === 0 && passed < suite.bar ? [`${passed} checks passed, and ${suite.bar} must`] : []),
  ];
  return { scenarios, passed, failed, repeated, faults, output };
}

async function repeat(suite: Suite, result: ScenarioResult, url: string): Promise<ScenarioResult> {
  const version = suite.args[0] === "--requirements" ? ["--spec-version", suite.args[1] ?? ""] : [];
  const output = await runCli(suite, ["--url", url, "--scenario", result.name, ...version]);
  const match = /Passed: (\d+)\/(\d+), (\d+) failed/.exec(stripVTControlCharacters(output));
  return match === null ? result : { ...result, passed: Number(match[1]), failed: Number(match[3]) };
}

/** The lines of the summary: `✓ name: 3 passed, 0 failed`, then the names of those that are not scored. */
export function readSummary(output: string): readonly ScenarioResult[] {
  const lines =
    stripVTControlCharacters(output)
      .split(/=== (?:SUITE )?SUMMARY ===/)[1]
      ?.split("\n") ?? [];
  const unscoredAt = lines.findIndex((line) => line.startsWith("Not scored"));
  const summary = unscoredAt < 0 ? lines : lines.slice(0, unscoredAt);
  const unscored = unscoredAt < 0 ? [] : lines.slice(unscoredAt).map((line) => /^ +[✓✗] (\S+)/.exec(line)?.[1]);
  return summary.flatMap((line) => {
    const match = /^[✓✗] (\S+): (\d+) passed, (\d+) failed/.exec(line);
    if (match?.[1] === undefined) return [];
    const name = match[1];
    return [{ name, passed: Number(match[2]), failed: Number(match[3]), scored: !unscored.includes(name) }];
  });
}

const limitMs = 120_000;

function runCli(suite: Suite, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const cli = clientFile(`${suite.release}/dist/index.js`);
    const child = spawn(process.execPath, [cli, "server", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
    });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => {
      if (output.includes("=== SUMMARY ===") || output.includes("Test Results:")) resolve(output);
      else reject(new Error(`the suite ${suite.name} ended with ${code}: ${output.slice(-2_000)}`));
    });
  });
}
