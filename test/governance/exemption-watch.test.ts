import { expect, test, vi } from "vitest";
import { getResource } from "../../src/core/resources.ts";
import type { Governance } from "../../src/governance/create-governance.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { coreFixture, create, kindOf, llmApiSpec, providerSpec } from "../core/core-fixture.ts";
import { startEvaluator } from "./ruleset-kit.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const described = {
  artifacts: ["LlmApi"],
  ruleset: {
    rules: {
      described: {
        description: "Says what it is for.",
        severity: "error",
        given: "$.spec",
        // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
        then: { field: "description", function: "truthy" },
      },
    },
  },
};
const dayMs = 86_400_000;

/** An API without a description, whose exemption ends in two days; nobody has looked at it yet. */
async function exempted(): Promise<CoreFixture> {
  const core = await coreFixture();
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "Ruleset", "described", described);
  await create(core, "GovernancePolicy", "told", { rulesets: ["described"], targets: ["global"] });
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  await create(core, "Exemption", "soon", {
    artifact: { kind: "LlmApi", name: "chat" },
    rule: "described",
    reason: "It is new.",
    approver: "ada@example.com",
    expiresAt: new Date(core.clock.now() + 2 * dayMs).toISOString(),
  });
  return core;
}

async function statusOf({ context }: CoreFixture, governance: Governance): Promise<string | undefined> {
  await governance.idle();
  const { id } = await getResource(context, kindOf("LlmApi"), "chat");
  return (await context.catalog.read.compliance.find(id))?.status;
}

test("a finding counts again when its exemption ends, and not before", async () => {
  await using core = await exempted();
  await using governance = createGovernance(() => core.context, startEvaluator());
  governance.wake();
  expect(await statusOf(core, governance)).toBe("COMPLIANT");
  for (let hour = 0; hour < 47; hour += 1) {
    core.clock.advance(dayMs / 24);
    expect(await statusOf(core, governance)).toBe("COMPLIANT");
  }
  core.clock.advance(dayMs / 24);
  expect(await statusOf(core, governance)).toBe("NON_COMPLIANT");
});

test("an exemption that ends while no process runs has ended at the next start", async () => {
  await using core = await exempted();
  {
    await using before = createGovernance(() => core.context, startEvaluator());
    before.wake();
    expect(await statusOf(core, before)).toBe("COMPLIANT");
  }
  core.clock.advance(3 * dayMs);
  await using after = createGovernance(() => core.context, startEvaluator());
  after.wake();
  expect(await statusOf(core, after)).toBe("NON_COMPLIANT");
});
