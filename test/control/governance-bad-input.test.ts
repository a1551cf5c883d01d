import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Answer } from "./control-plane.ts";
import type { GovernedPlane } from "./governed-plane.ts";
import { namedRules, openGovernedPlane } from "./governed-plane.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let governed: GovernedPlane;
beforeAll(async () => {
  governed = await openGovernedPlane();
});
afterAll(() => governed[Symbol.asyncDispose]());

const document = (kind: string, name: string, spec: object) => ({
  apiVersion: "gatehouse/v1",
  kind,
  metadata: { name },
  spec,
});
const evaluate = (...documents: readonly object[]): Promise<Answer> =>
  governed.plane.send("POST", "/api/v1/governance/evaluate", { documents });
const put = (name: string, ruleset: unknown, artifacts: readonly string[] = ["Application"]): Promise<Answer> =>
  governed.plane.send("POST", "/api/v1/rulesets", { metadata: { name }, spec: { artifacts, ruleset } });

describe("a ruleset that is none is refused, by REST and in a trial, with the member at fault", () => {
  const { named } = namedRules;
  test.each([
    { name: "a member that there is not", ruleset: { rules: {}, rulez: {} }, path: "spec.ruleset.rulez" },
    {
      name: "one of a rule",
      ruleset: { rules: { a: { ...named, sevrity: 1 } } },
      path: "spec.ruleset.rules.a.sevrity",
    },
    { name: "a rule without a place", ruleset: { rules: { a: { given: "$" } } }, path: "spec.ruleset.rules.a" },
    {
      name: "a function that there is not",
      ruleset: { rules: { ok: named, a: { ...named, then: { ...named.then, function: "nope" } } } },
      path: "spec.ruleset.rules.a.then.function",
    },
    { name: "a circle", ruleset: { extends: ["it"] }, path: "spec.ruleset.extends" },
    { name: "what is fetched", ruleset: { extends: ["https://example.com/r.yaml"] }, path: "spec.ruleset.extends" },
  ])("$name", async ({ ruleset, path }) => {
    for (const answer of [
      await put("it", ruleset),
      await evaluate(document("Ruleset", "it", { artifacts: ["Application"], ruleset })),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.body.errors.map((each) => each.path.replace(/^documents\[0\]:1 /, ""))).toContain(path);
    }
  });
});

describe("wrong kinds", () => {
  test("among a ruleset's artifacts are refused with their place", async () => {
    const answer = await put("it", { rules: {} }, ["Application", "Plan"]);
    expect([answer.status, answer.body.errors[0]?.path]).toEqual([422, "spec.artifacts[1]"]);
  });

  test("in a trial are not applicable, and nothing else is looked at in their place", async () => {
    await governed.make("applications", "stands-by", {});
    const answer = await evaluate(document("Team", "harbour", {}));
    expect(answer.body.items).toMatchObject([
      { kind: "Team", name: "harbour", status: "NOT_APPLICABLE", score: null, policies: [] },
    ]);
  });

  test("that there are not are refused", async () => {
    expect((await evaluate(document("Nothing", "it", {}))).status).toBe(422);
  });
});

describe("a document of five megabytes", () => {
  const info = { title: "Harbour", version: "1" };
  const operation = { description: "Tides and quays. ".repeat(1_000), responses: { 200: { description: "ok" } } };
  const paths = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`/quays/${at}`, { get: operation }]));
  const definition = { openapi: "3.0.3", info, paths };
  const upstream = { production: { url: "https://harbour.example.com" }, sandbox: { sameAs: "production" } };
  const spec = { context: "/big", definition, upstream };
  const rules = { licensed: { severity: "error", given: "$.info", then: { field: "license", function: "truthy" } } };

  test("is evaluated or refused in a trial and at its publication, while others are answered", async () => {
    expect(JSON.stringify(definition, undefined, 2).length).toBeGreaterThan(5_000_000);
    const { make, plane } = governed;
    await make("rulesets", "licensed", { artifacts: ["RestApi"], type: "definition", ruleset: { rules } });
    const actions = [{ state: "publish", severity: "error", type: "block" }];
    await make("governance-policies", "licenses", { rulesets: ["licensed"], targets: ["global"], actions });
    await governed.idle();
    let isDone = false;
    const trial = evaluate(document("RestApi", "big", spec)).finally(() => {
      isDone = true;
    });
    // While the other process reads it, this one answers.
    let answered = 0;
    while (!isDone) {
      if ((await governed.get("/policy-adherence")).status === 200) answered += 1;
      await turn(); // nothing else here leaves the loop to others
    }
    expect(answered).toBeGreaterThan(5);
    expect((await trial).text).toMatch(/"rule":"licensed"|cannot be evaluated/);
    await make("rest-apis", "big", spec);
    const published = await plane.send("POST", "/api/v1/rest-apis/big/publish", {});
    expect(published.text).toMatch(/"rule":"licensed"|licensed \(error|cannot be evaluated/);
    const small = await evaluate(document("Application", "small", {}));
    expect(small.status).toBe(200);
  });

  test("that is larger than a request may be is refused before it is read", async () => {
    const answer = await evaluate(document("RestApi", "big", { ...spec, more: "x".repeat(10_485_760) }));
    expect([answer.status, answer.body.code]).toEqual([413, "request.too_large"]);
  });
});
