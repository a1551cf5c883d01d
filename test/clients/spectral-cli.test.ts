import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { severities } from "../../src/governance/finding.ts";
import type { RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import { startEvaluator } from "../governance/ruleset-kit.ts";
import { clientsAreInstalled } from "./install-clients.ts";
import { sliceOf } from "./slice-of-description.ts";

const root = join(import.meta.dirname, "../..");
const cli = join(import.meta.dirname, "node_modules/@stoplight/spectral-cli/dist/index.js");
const fixtures = join(root, "test/mcp/openapi/fixtures");
// Where packages of the product are found, as by whoever has installed them beside a ruleset.
const folder = join(root, "node_modules/.cache/spectral-cli");
const rulesets = ["spectral:oas", "@stoplight/spectral-owasp-ruleset", "@ibm-cloud/openapi-ruleset"];

interface CliFinding {
  readonly code: string;
  readonly severity: number;
  readonly message: string;
  readonly path: readonly (string | number)[];
  readonly range: { readonly start: object; readonly end: object };
}

const tags = ["gists", "licenses", "search"];
const names = ["adyen", "asana", "box", "digitalocean", "kubernetes", "petstore", "twilio"].concat(
  tags.map((tag) => `github-${tag}`),
);

let evaluator: RulesetEvaluator;
const documents = new Map<string, string>();

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith(".json"))) {
    documents.set(file, readFileSync(join(fixtures, file), "utf8"));
  }
  const github = join(import.meta.dirname, "node_modules/@octokit/openapi/generated/api.github.com.json");
  const whole = JSON.parse(readFileSync(github, "utf8"));
  for (const tag of tags) {
    documents.set(`github-${tag}.json`, JSON.stringify(sliceOf(whole, tag), undefined, 2));
  }
  evaluator = startEvaluator();
});

afterAll(async () => {
  await evaluator[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!clientsAreInstalled())("what spectral-cli finds", () => {
  test.each(names)("is found in %s, no more and no less, in the same places and words", async (name) => {
    const file = join(folder, `${name}.json`);
    const text = documents.get(`${name}.json`) ?? "";
    expect(text).not.toBe("");
    writeFileSync(file, text);
    const ruleset = join(folder, `${name}.ruleset.json`);
    writeFileSync(ruleset, JSON.stringify({ extends: rulesets }));
    const args = ["lint", file, "--ruleset", ruleset, "--format", "json", "--quiet"];
    const printed = await promisify(execFile)(process.execPath, [cli, ...args], { maxBuffer: 1e9 }).catch(
      (error: unknown) => error as { readonly stdout: string }, // findings make it end with 1
    );
    const theirs = JSON.parse(printed.stdout) as readonly CliFinding[]; // as its JSON format has it
    const { findings, faults } = await evaluator.evaluate({
      bundle: { name: "all", ruleset: { extends: rulesets }, extended: {} },
      document: { text, source: `${name}.json` },
      timeoutMs: 100_000,
    });
    expect(faults).toEqual([]);
    const told = theirs.map(({ code, severity, message, path, range }) => {
      const { start, end } = range;
      return JSON.stringify([code, severities[severity], message, path.map(String), start, end]);
    });
    const ours = findings.map(({ rule, severity, message, path, range }) =>
      JSON.stringify([rule, severity, message, path.map(String), range.start, range.end]),
    );
    expect(ours.length).toBeGreaterThan(0);
    expect(ours.toSorted(byText)).toEqual(told.toSorted(byText));
  });
});

function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
