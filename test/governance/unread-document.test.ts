import { expect, test } from "vitest";
import { publishApi } from "../../src/core/publishing.ts";
import { getResource } from "../../src/core/resources.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { admin, coreFixture, create, kindOf, llmApiSpec, providerSpec, rejection } from "../core/core-fixture.ts";

const message = "The document cannot be evaluated: it took more than 3000 ms.";

/** Cannot read any document while `isLost`. */
class Reader implements RulesetEvaluator {
  isLost = true;

  async evaluate() {
    return this.isLost
      ? { findings: [], rules: [], faults: [{ rule: undefined, message }] }
      : { findings: [], rules: ["any"], faults: [] };
  }

  async [Symbol.asyncDispose]() {}
}

const actions = (type: string) => [{ state: type === "suspend" ? "runtime" : "publish", severity: "error", type }];

async function chatUnder(core: CoreFixture, type: string): Promise<void> {
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  await create(core, "Ruleset", "safe", { artifacts: ["LlmApi"], ruleset: { rules: {} } });
  await create(core, "GovernancePolicy", "safety", { rulesets: ["safe"], targets: ["global"], actions: actions(type) });
}

const publish = ({ context }: CoreFixture) => publishApi(context, admin, kindOf("LlmApi"), "chat");

test("What no rule could be held against is not let through, and is looked at again the next time", async () => {
  await using core = await coreFixture();
  const reader = new Reader();
  await using governance = createGovernance(() => core.context, reader);
  Object.assign(core.context, { governance });
  await chatUnder(core, "block");
  const error = await rejection(publish(core));
  expect(error.code).toBe("governance.blocked");
  expect(error.issues[0]?.message).toMatch(
    /^document-not-evaluated \(error, line 1, policy safety\): The document cannot/,
  );
  await governance.idle();
  const { id } = await getResource(core.context, kindOf("LlmApi"), "chat");
  expect(await core.context.catalog.read.compliance.find(id)).toMatchObject({ status: "NON_COMPLIANT" });
  reader.isLost = false;
  await publish(core);
});

test("An exemption lets it through", async () => {
  await using core = await coreFixture();
  await using governance = createGovernance(() => core.context, new Reader());
  Object.assign(core.context, { governance });
  await chatUnder(core, "block");
  const artifact = { kind: "LlmApi", name: "chat" };
  const spec = { artifact, rule: "document-not-evaluated", reason: "it is large", approver: "ada" };
  await create(core, "Exemption", "large", spec);
  await publish(core);
});

test("What runs is not taken off because it could not be looked at", async () => {
  await using core = await coreFixture();
  await using governance = createGovernance(() => core.context, new Reader());
  Object.assign(core.context, { governance });
  await chatUnder(core, "suspend");
  await publish(core);
  await governance.idle();
  expect((await core.context.catalog.read.compliance.suspended()).size).toBe(0);
});
