import { expect, test } from "vitest";
import type { Suspension } from "../../src/core/compliance-tables.ts";
import { currentMessages } from "../../src/core/distribution.ts";
import type { PlaneMessage } from "../../src/core/plane-message.ts";
import { publishApi, undeployApi } from "../../src/core/publishing.ts";
import { deleteResource, getResource, replaceResource } from "../../src/core/resources.ts";
import type { Governance } from "../../src/governance/create-governance.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { admin, auditActions, coreFixture, create, kindOf, llmApiSpec, providerSpec } from "../core/core-fixture.ts";

const place = { line: 0, character: 0 };
const unsafe = {
  rule: "unsafe",
  severity: "error",
  message: "it is not safe",
  path: ["spec"],
  range: { start: place, end: place },
} as const;

/** Finds documents unsafe that say "bad"; of those that say "odd" its rule cannot tell. */
const reader: RulesetEvaluator = {
  async evaluate({ document }) {
    const faults = document.text.includes('"odd"') ? [{ rule: "unsafe", message: "it never ends" }] : [];
    return { findings: document.text.includes('"bad"') ? [unsafe] : [], rules: ["unsafe"], faults };
  },
  [Symbol.asyncDispose]: async () => {},
};

interface Governed extends AsyncDisposable {
  readonly core: CoreFixture;
  readonly governance: Governance;
}

/** An LLM API `chat` with that description, deployed, under a policy with that action at run time. */
async function deployed(description: string, type = "suspend"): Promise<Governed> {
  const core = await coreFixture();
  const governance = createGovernance(() => core.context, reader);
  Object.assign(core.context, { governance });
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "LlmApi", "chat", { ...llmApiSpec("/chat"), description });
  await publishApi(core.context, admin, kindOf("LlmApi"), "chat");
  await create(core, "Ruleset", "safe", { artifacts: ["LlmApi"], ruleset: { rules: {} } });
  const actions = [{ state: "runtime", severity: "error", type }];
  await create(core, "GovernancePolicy", "safety", { rulesets: ["safe"], targets: ["global"], actions });
  await governance.idle();
  return {
    core,
    governance,
    async [Symbol.asyncDispose]() {
      await governance[Symbol.asyncDispose]();
      await core[Symbol.asyncDispose]();
    },
  };
}

async function draft({ core: { context } }: Governed, description: string): Promise<void> {
  const { version } = await getResource(context, kindOf("LlmApi"), "chat");
  const body = { metadata: { name: "chat" }, spec: { ...llmApiSpec("/chat"), description } };
  await replaceResource(context, admin, kindOf("LlmApi"), "chat", body, version);
}

const publish = ({ core }: Governed) => publishApi(core.context, admin, kindOf("LlmApi"), "chat");

/** What gateways were told last, which is what they are told when they connect. */
async function told({ core, governance }: Governed): Promise<Suspension | undefined> {
  await governance.idle();
  const last = lastSuspension(core.messages);
  expect(lastSuspension(await currentMessages(core.context))).toEqual(last);
  return last;
}

function lastSuspension(messages: readonly PlaneMessage[]): Suspension | undefined {
  const sets = messages.flatMap((message) => (message.type === "artifacts" ? [message.set] : []));
  return sets.at(-1)?.apis[0]?.suspension;
}

const bySafety = { policies: ["safety"], rules: ["unsafe"] };

test("a deployed API that breaks a rule is suspended until what is deployed is mended, and both are audited", async () => {
  await using all = await deployed("bad");
  expect(await told(all)).toEqual(bySafety);
  await draft(all, "good");
  expect(await told(all)).toEqual(bySafety); // the draft is mended, and not what is called
  await publish(all);
  expect(await told(all)).toBeUndefined();
  const actions = await auditActions(all.core);
  expect(actions.filter((action) => action === "api.suspended" || action === "api.resumed").toSorted()).toEqual([
    "api.resumed",
    "api.suspended",
  ]);
});

test("a draft that breaks a rule suspends nothing before it is deployed", async () => {
  await using all = await deployed("good");
  await draft(all, "bad");
  expect(await told(all)).toBeUndefined();
  await publish(all);
  expect(await told(all)).toEqual(bySafety);
});

test("an exemption, the end of the policy and the end of the deployment each lift it", async () => {
  await using exempt = await deployed("bad");
  const artifact = { kind: "LlmApi", name: "chat" };
  await create(exempt.core, "Exemption", "known", { artifact, rule: "unsafe", reason: "known", approver: "ada" });
  expect(await told(exempt)).toBeUndefined();

  await using free = await deployed("bad");
  await deleteResource(free.core.context, admin, kindOf("GovernancePolicy"), "safety", 1);
  expect(await told(free)).toBeUndefined();

  await using gone = await deployed("bad");
  await undeployApi(gone.core.context, admin, kindOf("LlmApi"), "chat");
  await gone.governance.idle();
  expect((await gone.core.context.catalog.read.compliance.suspended()).size).toBe(0);
});

test("a rule that cannot be evaluated suspends nothing, and frees nothing", async () => {
  await using fine = await deployed("odd");
  expect(await told(fine)).toBeUndefined();
  await using all = await deployed("bad");
  await draft(all, "odd");
  await publish(all);
  expect(await told(all)).toEqual(bySafety);
  await draft(all, "good");
  await publish(all);
  expect(await told(all)).toBeUndefined();
});

test("what is told only suspends nothing", async () => {
  await using all = await deployed("bad", "notify");
  expect(await told(all)).toBeUndefined();
});

test("a draft of a policy says what it would suspend, by what is deployed and not by its draft, and suspends nothing", async () => {
  await using all = await deployed("bad", "notify");
  const { context } = all.core;
  const actions = [{ state: "runtime", severity: "error", type: "suspend" }];
  const spec = { rulesets: ["safe"], targets: ["global"], actions };
  const parsed = kindOf("GovernancePolicy").spec.parse(spec);
  const tryOut = async () => {
    const resource = await getResource(context, kindOf("LlmApi"), "chat");
    const pending = [{ kind: "GovernancePolicy", name: "strict", spec: parsed }];
    const [verdict] = await all.governance.tryOut([resource], pending);
    const [given] = await all.governance.tryOut(
      [{ kind: "LlmApi", name: "chat", labels: {}, spec: resource.spec }],
      pending,
    );
    return [verdict?.suspended, given?.suspended];
  };
  const byStrict = { policies: ["strict"], rules: ["unsafe"] };
  expect(await tryOut()).toEqual([byStrict, null]); // what is given is not what is deployed
  await draft(all, "good");
  expect(await tryOut()).toEqual([byStrict, null]);
  await publish(all);
  await draft(all, "bad");
  expect(await tryOut()).toEqual([null, null]);
  expect(await told(all)).toBeUndefined();
});
