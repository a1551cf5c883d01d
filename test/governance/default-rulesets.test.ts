import { createRequire } from "node:module";
import { afterAll, describe, expect, test } from "vitest";
import { defaultRulesets, readDefaultRuleset } from "../../src/governance/default-rulesets.ts";
import { goodManagedApi, unmanagedApis } from "./examples/api-management.ts";
import { brokenAsyncApis, brokenOlderAsyncApis, goodAsyncApi, olderAsyncApi } from "./examples/asyncapi.ts";
import { goodServer } from "./examples/good-server.ts";
import { brokenLlmApis, goodLlmApi, goodLlmProvider } from "./examples/llm.ts";
import { brokenGuidelines } from "./examples/mcp.ts";
import { unsafeServers } from "./examples/mcp-safety.ts";
import { goodGuardedApi, goodGuardedSwagger, unguardedApis } from "./examples/owasp.ts";
import { brokenRestApis, goodRestApi, goodSwagger } from "./examples/rest.ts";
import { evaluate, startEvaluator } from "./ruleset-kit.ts";

/** By the name of a ruleset: documents in which nothing is to be found, and for each rule one that breaks it. */
const examples: Readonly<Record<string, Examples>> = {
  "gatehouse:mcp": { good: [goodServer], bad: brokenGuidelines },
  "gatehouse:mcp-safety": { good: [goodServer], bad: unsafeServers },
  "gatehouse:llm": { good: [goodLlmApi, goodLlmProvider], bad: brokenLlmApis },
  "gatehouse:api-management": { good: [goodManagedApi], bad: unmanagedApis },
  "gatehouse:rest": { good: [goodRestApi, goodSwagger], bad: brokenRestApis },
  "gatehouse:owasp": { good: [goodGuardedApi, goodGuardedSwagger], bad: unguardedApis },
  "gatehouse:asyncapi": { good: [goodAsyncApi], bad: brokenAsyncApis },
};

interface Examples {
  readonly good: readonly object[];
  readonly bad: Readonly<Record<string, object>>;
}

const evaluator = startEvaluator();
afterAll(() => evaluator[Symbol.asyncDispose]());

async function rulesFor(ruleset: string, document: object): Promise<readonly string[]> {
  const text = JSON.stringify(document);
  const { findings, faults } = await evaluate(evaluator, JSON.stringify({ extends: [ruleset] }), text);
  expect(faults).toEqual([]);
  return findings.map(({ rule }) => rule);
}

describe.each(Object.entries(defaultRulesets))("%s", (name, ruleset) => {
  const listed = readDefaultRuleset(ruleset)["rules"] as Readonly<Record<string, object | "off">>; // of a file of ours
  const rules = Object.fromEntries(Object.entries(listed).filter(([, rule]) => rule !== "off"));
  const { good, bad } = examples[name] ?? { good: [], bad: {} };

  test("each rule has a document that breaks it, and says why it is there and what to do", () => {
    expect(Object.keys(bad).toSorted()).toEqual(Object.keys(rules).toSorted());
    for (const rule of Object.values(rules)) {
      expect(rule).toMatchObject({
        description: expect.stringMatching(/\S.*\.$/),
        severity: expect.stringMatching(/^(error|warn|info|hint)$/),
        extensions: { why: expect.stringMatching(/\S/), howToFix: expect.stringMatching(/\S/) },
      });
    }
  });

  test("nothing is found in a good document", async () => {
    expect(good).not.toEqual([]);
    for (const document of good) expect(await rulesFor(name, document)).toEqual([]);
  });

  test.each(Object.entries(bad))("%s is found", async (rule, document) => {
    expect(await rulesFor(name, document)).toContain(rule);
  });
});

test("of AsyncAPI 2 nothing is found but its age", async () => {
  expect(await rulesFor("gatehouse:asyncapi", olderAsyncApi)).toEqual(["async-version-current"]);
});

test.each(Object.entries(brokenOlderAsyncApis))("%s is found in AsyncAPI 2", async (rule, document) => {
  expect(await rulesFor("gatehouse:asyncapi", document)).toContain(rule);
});

test("each rule of the package that OWASP's are taken from has our words, or is off", () => {
  const { rules } = createRequire(import.meta.url)("@stoplight/spectral-owasp-ruleset");
  const own = readDefaultRuleset({ file: "owasp" })["rules"];
  expect(Object.keys(rules)).not.toEqual([]);
  expect(Object.keys(rules).filter((name) => !Object.hasOwn(Object(own), name))).toEqual([]);
});

test("a rule of theirs has our weight and tells our advice", async () => {
  const document = JSON.stringify(unguardedApis["owasp:api1:2023-no-numeric-ids"]);
  const { findings } = await evaluate(evaluator, JSON.stringify({ extends: ["gatehouse:owasp"] }), document);
  expect(findings).toMatchObject([
    { rule: "owasp:api1:2023-no-numeric-ids", severity: "warn", howToFix: expect.stringContaining("UUIDs") },
  ]);
});

test("what a rule advises is told with its finding", async () => {
  const { findings } = await evaluate(
    evaluator,
    JSON.stringify({ extends: ["gatehouse:mcp"] }),
    JSON.stringify(brokenGuidelines["mcp-server-described"]),
  );
  expect(findings).toMatchObject([
    {
      rule: "mcp-server-described",
      severity: "warn",
      path: ["spec", "description"],
      howToFix: expect.stringContaining("spec.description"),
    },
  ]);
});
