import { expect, test } from "vitest";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { coreFixture, create, llmApiSpec, providerSpec } from "../core/core-fixture.ts";

/** An evaluator whose process ends over documents with one of these texts. */
function mortalEvaluator(deadly: Set<string>): RulesetEvaluator & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async evaluate({ document: { text } }) {
      asked.push(text);
      if ([...deadly].some((each) => text.includes(each))) {
        throw new GatewayError("governance.unavailable", "Rulesets cannot be evaluated now.");
      }
      return { findings: [], rules: ["described"], faults: [] };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** APIs of these names under one policy, in that order, that all wait. */
async function waiting(...names: readonly string[]): Promise<CoreFixture> {
  const core = await coreFixture();
  await create(core, "LlmProvider", "openai", providerSpec);
  const artifacts = ["LlmApi"];
  await create(core, "Ruleset", "described", { artifacts, ruleset: { rules: {} } });
  await create(core, "GovernancePolicy", "told", { rulesets: ["described"], targets: ["global"] });
  for (const name of names) {
    core.clock.advance(1);
    await create(core, "LlmApi", name, llmApiSpec(`/${name}`));
  }
  return core;
}

async function statuses({ context }: CoreFixture): Promise<Record<string, string>> {
  const { rows } = await context.catalog.read.compliance.list({ kind: "LlmApi" }, { limit: 100 });
  return Object.fromEntries(rows.map(({ name, status, dueAtMs }) => [name, dueAtMs === null ? status : "PENDING"]));
}

test("a resource that ends the evaluator's process rests for half a minute, and nobody else does", async () => {
  await using core = await waiting("deadly", "first", "second");
  const deadly = new Set(["/deadly"]);
  const evaluator = mortalEvaluator(deadly);
  await using governance = createGovernance(() => core.context, evaluator);
  governance.wake();
  await governance.idle();
  expect(await statuses(core)).toEqual({ deadly: "PENDING", first: "COMPLIANT", second: "COMPLIANT" });

  const before = evaluator.asked.length;
  await create(core, "LlmApi", "third", llmApiSpec("/third"));
  governance.wake();
  await governance.idle();
  expect(await statuses(core)).toMatchObject({ deadly: "PENDING", third: "COMPLIANT" });
  expect(evaluator.asked.slice(before).join()).not.toContain("/deadly");

  deadly.clear();
  core.clock.advance(29_999);
  await governance.idle();
  expect(await statuses(core)).toMatchObject({ deadly: "PENDING" });
  core.clock.advance(1);
  await governance.idle();
  expect(await statuses(core)).toMatchObject({ deadly: "COMPLIANT" });
});

test("when nothing can be evaluated three are tried and all wait, to be tried again after half a minute", async () => {
  const names = Array.from({ length: 8 }, (_, index) => `api-${index}`);
  await using core = await waiting(...names);
  const deadly = new Set(["/api-"]);
  const evaluator = mortalEvaluator(deadly);
  await using governance = createGovernance(() => core.context, evaluator);
  governance.wake();
  await governance.idle();
  expect(evaluator.asked).toHaveLength(3);
  expect(Object.values(await statuses(core))).toEqual(names.map(() => "PENDING"));
  deadly.clear();
  core.clock.advance(30_000);
  await governance.idle();
  expect(Object.values(await statuses(core))).toEqual(names.map(() => "COMPLIANT"));
});
