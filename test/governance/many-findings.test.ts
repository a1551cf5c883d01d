import { expect, test, vi } from "vitest";
import { publishApi } from "../../src/core/publishing.ts";
import { getResource } from "../../src/core/resources.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import { admin, coreFixture, create, kindOf, rejection } from "../core/core-fixture.ts";
import { startEvaluator } from "./ruleset-kit.ts";

vi.setConfig({ testTimeout: 120_000 });

const rule = (severity: string, given: string) => ({
  severity,
  given,
  // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
  then: { field: "summary", function: "truthy" },
});
const ruleset = {
  type: "definition",
  artifacts: ["RestApi"],
  ruleset: { rules: { told: rule("warn", "$.paths[*].get"), last: rule("error", "$.paths['/last'].put") } },
};
const policy = (name: string) => ({
  rulesets: [name],
  targets: ["global"],
  actions: [{ state: "publish", severity: "error", type: "block" }],
});
const operation = { responses: {} };
const paths = {
  ...Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`/quays/${at}`, { get: operation }])),
  "/last": { put: operation },
};
const spec = {
  context: "/many",
  definition: { openapi: "3.0.3", info: { title: "Quays", version: "1" }, paths },
  upstream: { production: { url: "https://harbour.example.com" }, sandbox: { sameAs: "production" } },
};

test("An error behind a thousand warnings blocks, and what is not kept is counted; two policies ask once", async () => {
  await using core = await coreFixture();
  const evaluator = startEvaluator();
  const asked = vi.spyOn(evaluator, "evaluate");
  await using governance = createGovernance(() => core.context, evaluator);
  Object.assign(core.context, { governance });
  await create(core, "Ruleset", "many", ruleset);
  await create(core, "GovernancePolicy", "one", policy("many"));
  await create(core, "GovernancePolicy", "other", policy("many"));
  await create(core, "RestApi", "quays", spec);
  await governance.idle();
  asked.mockClear();
  const error = await rejection(publishApi(core.context, admin, kindOf("RestApi"), "quays"));
  expect(error.code).toBe("governance.blocked");
  expect(error.issues.map(({ message }) => message.slice(0, 12))).toEqual(["last (error,", "last (error,"]);
  expect(asked).toHaveBeenCalledTimes(1);
  const { id } = await getResource(core.context, kindOf("RestApi"), "quays");
  const row = await core.context.catalog.read.compliance.find(id);
  const [result] = row?.policies.flatMap(({ rulesets }) => rulesets) ?? [];
  expect(result?.findings).toHaveLength(1_000);
  expect(result?.findings.at(-1)).toMatchObject({ rule: "last", severity: "error" });
  expect(result?.faults).toEqual([{ rule: "told", message: "It finds 1500 places, of which 999 are kept." }]);
});
