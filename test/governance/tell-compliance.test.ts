import { expect, test, vi } from "vitest";
import { getResource, replaceResource } from "../../src/core/resources.ts";
import type { WebhookMessage } from "../../src/core/webhook-sender.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import { admin, coreFixture, create, kindOf, llmApiSpec, providerSpec } from "../core/core-fixture.ts";
import { startEvaluator } from "./ruleset-kit.ts";

vi.setConfig({ testTimeout: 120_000 });

const described = {
  artifacts: ["LlmApi"],
  ruleset: {
    rules: {
      described: {
        message: "it does not say what it is for",
        severity: "error",
        given: "$.spec",
        // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
        then: { field: "description", function: "truthy" },
      },
    },
  },
};
const webhook = { url: "https://hooks.example.com/g" };

test("a policy's webhook is told when a resource comes to break it and when it keeps it again, once each", async () => {
  await using core = await coreFixture();
  const told: Omit<WebhookMessage, "teamId">[] = [];
  let woken = 0;
  const webhooks = {
    enqueue: async (_write: unknown, { teamId: _team, ...message }: WebhookMessage) => String(told.push(message)),
    wake: () => void (woken += 1),
  };
  await using governance = createGovernance(() => core.context, startEvaluator());
  Object.assign(core.context, { governance, webhooks });
  const write = async (kind: string, name: string, spec: object) => {
    const { version } = await getResource(core.context, kindOf(kind), name);
    await replaceResource(core.context, admin, kindOf(kind), name, { metadata: { name }, spec }, version);
    await governance.idle();
  };
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "Ruleset", "described", described);
  await create(core, "GovernancePolicy", "told", { rulesets: ["described"], targets: ["global"], webhook });
  await create(core, "GovernancePolicy", "silent", { rulesets: ["described"], targets: ["global"] });
  await create(core, "LlmApi", "good", { ...llmApiSpec("/good"), description: "Talks." });
  await governance.idle();
  expect(told).toEqual([]); // a first verdict that is good is no news

  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  await governance.idle();
  expect(told).toEqual([
    {
      ...webhook,
      secret: undefined,
      source: "GovernancePolicy/told",
      type: "governance.violated",
      data: {
        policy: "told",
        artifact: { kind: "LlmApi", name: "chat" },
        status: "VIOLATED",
        findings: [
          {
            ruleset: "described",
            rule: "described",
            severity: "error",
            path: "spec",
            message: "it does not say what it is for",
          },
        ],
        findingCount: 1,
        quarantined: [],
        suspended: false,
      },
    },
  ]);
  await write("LlmApi", "chat", { ...llmApiSpec("/chat"), displayName: "Chat" }); // as bad as before
  expect(told).toHaveLength(1);
  await write("LlmApi", "chat", { ...llmApiSpec("/chat"), description: "Talks." });
  expect(told.map(({ type }) => type)).toEqual(["governance.violated", "governance.followed"]);
  expect(woken).toBeGreaterThan(0);
});
