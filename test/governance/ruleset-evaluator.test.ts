import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluate, startEvaluator } from "./ruleset-kit.ts";

const document = `openapi: 3.0.0
info:
  title: ${"a".repeat(40)}!
  version: "1"
paths: {}
`;

let evaluator: ReturnType<typeof startEvaluator>;

beforeAll(() => {
  evaluator = startEvaluator();
});

afterAll(() => evaluator[Symbol.asyncDispose]());

const rule = (given: string, then: string, more = ""): string => `{ given: "${given}", ${more} then: ${then} }`;
const truthy = (field: string): string => `{ field: ${field}, function: truthy }`;

describe("a ruleset", () => {
  test("finds what it looks for, with the place in the text and what to do about it", async () => {
    const ruleset = `rules:
  info-license:
    description: An API has a license.
    given: $.info
    severity: error
    then: { field: license, function: truthy }
    extensions: { howToFix: Name one under info.license. }`;
    expect(await evaluate(evaluator, ruleset, document)).toEqual({
      findings: [
        {
          rule: "info-license",
          severity: "error",
          message: "An API has a license.",
          path: ["info"],
          range: { start: { line: 1, character: 5 }, end: { line: 3, character: 14 } },
          howToFix: "Name one under info.license.",
        },
      ],
      rules: ["info-license"],
      faults: [],
    });
  });

  test("extends built-in and stored ones, switches their rules, and has aliases, overrides and formats", async () => {
    const stored: Record<string, string> = {
      house: `extends: [[spectral:oas, off]]
aliases: { Info: [$.info] }
rules:
  has-license: ${rule("#Info", truthy("license"))}
  only-asyncapi: ${rule("$", truthy("x"), "formats: [asyncapi2],")}
  overridden: ${rule("$", truthy("x-none"))}
  info-contact: error`,
    };
    const ruleset = `extends: house
rules:
  oas3-api-servers: info
  has-license: hint
overrides:
  - files: ["api.yaml"]
    rules: { overridden: off }`;
    const { findings, faults } = await evaluate(evaluator, ruleset, document, { find: async (name) => stored[name] });
    expect(faults).toEqual([]);
    expect(Object.fromEntries(findings.map((each) => [each.rule, each.severity]))).toEqual({
      "has-license": "hint",
      "info-contact": "error",
      "oas3-api-servers": "info",
    });
  });

  test.each(["spectral:oas", "spectral:asyncapi", "@stoplight/spectral-owasp-ruleset", "@ibm-cloud/openapi-ruleset"])(
    "%s is built in",
    async (name) => {
      const { faults } = await evaluate(evaluator, `extends: "${name}"`, document);
      expect(faults).toEqual([]);
    },
  );

  test.each([
    {
      name: "a function that there is not",
      text: "rules: { a: { given: $, then: { function: nope } } }",
      says: /function/i,
    },
    { name: "a rule without a place", text: "rules: { a: { then: { function: truthy } } }", says: /given/ },
    { name: "a member that there is not", text: "rulez: {}", says: /rulez|rules|additional|property/i },
    { name: "an unknown severity", text: "rules: { a: nonsense }", says: /allowed values/ },
  ])("with $name is refused with the place", async ({ text, says }) => {
    await expect(evaluate(evaluator, text, document)).rejects.toMatchObject({
      code: "resource.invalid",
      issues: expect.arrayContaining([expect.objectContaining({ message: expect.stringMatching(says) })]),
    });
  });
});

describe("a rule that never ends", () => {
  const slow = `{ field: title, function: pattern, functionOptions: { match: "^(a+)+$" } }`;
  const ruleset = `rules:
  has-contact: ${rule("$.info", truthy("contact"))}
  endless: ${rule("$.info", slow)}
  has-license: ${rule("$.info", truthy("license"))}
  has-terms: ${rule("$.info", truthy("termsOfService"))}`;

  test("is cut off and told as its own fault; what the others find stands", async () => {
    const { findings, faults, rules } = await evaluate(evaluator, ruleset, document, { timeoutMs: 3_000 });
    expect(faults).toEqual([{ rule: "endless", message: expect.stringContaining("not done after") }]);
    const others = ["has-contact", "has-license", "has-terms"];
    expect(findings.map((each) => each.rule).toSorted()).toEqual(others);
    expect(rules.toSorted()).toEqual(others);
  }, 120_000);

  test("keeps nobody else waiting while it is looked for", async () => {
    const endless = evaluate(evaluator, ruleset, document, { timeoutMs: 3_000 });
    let isFound = false;
    void endless.then(() => {
      isFound = true;
    });
    const other = await evaluate(evaluator, `rules: { has-license: ${rule("$.info", truthy("license"))} }`, document);
    expect(other.findings).toHaveLength(1);
    expect(isFound).toBe(false);
    await endless;
  }, 120_000);
});

test("a document that swells in memory ends its process and no other evaluation", async () => {
  await using small = startEvaluator(96);
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x, x]",
    ...Array.from({ length: 12 }, (_, at) => {
      const [own, other] = ["bcdefghijklmn"[at], "abcdefghijklm"[at]];
      return `${own}: &${own} [${`*${other}, `.repeat(9)}*${other}]`;
    }),
  ].join("\n");
  const ruleset = `rules: { all: ${rule("$..*", "{ function: truthy }")} }`;
  const swollen = evaluate(small, ruleset, bomb, { timeoutMs: 10_000 });
  const fine = await evaluate(small, `rules: { has-license: ${rule("$.info", truthy("license"))} }`, document);
  expect(fine.findings).toHaveLength(1);
  const { findings, faults } = await swollen;
  expect([...faults, ...findings].length).toBeGreaterThan(0);
}, 120_000);

test("a process that is killed in the middle loses no result", async () => {
  const wanted = Array.from({ length: 20 }, () =>
    evaluate(evaluator, `rules: { has-license: ${rule("$.info", truthy("license"))} }`, document),
  );
  const pid = evaluator.children[0]?.pid;
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  for (const { findings } of await Promise.all(wanted)) expect(findings).toHaveLength(1);
});

test("nothing is fetched: a reference to another server is never asked for", async () => {
  let hits = 0;
  const server = createServer((_, response) => {
    hits += 1;
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  const remote = `http://127.0.0.1:${port}/x.yaml`;
  const text = `openapi: 3.0.0\ninfo: { $ref: "${remote}" }\npaths: { /a: { $ref: "${remote}#/a" }, /b: { $ref: "/etc/passwd" } }\n`;
  const { findings } = await evaluate(evaluator, "extends: spectral:oas", text);
  expect(hits).toBe(0);
  expect(JSON.stringify(findings)).toContain("invalid-ref");
  expect(JSON.stringify(findings)).not.toContain("root:");
  server.close();
});

test("what is urgent comes before what is done in the background", async () => {
  const order: string[] = [];
  const asked = (name: string, isUrgent: boolean) =>
    evaluate(evaluator, `rules: { a: ${rule("$", truthy("x"))} }`, document, { isUrgent }).then(() => order.push(name));
  await Promise.all([asked("first", false), asked("second", false), asked("urgent", true)]);
  expect(order.indexOf("urgent")).toBeLessThan(order.indexOf("second"));
});
