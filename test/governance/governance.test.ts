import { describe, expect, test, vi } from "vitest";
import { applyDocuments } from "../../src/core/apply.ts";
import type { CoreContext } from "../../src/core/core-context.ts";
import { publishApi, undeployApi } from "../../src/core/publishing.ts";
import { deleteResource, getResource, replaceResource } from "../../src/core/resources.ts";
import type { Governance } from "../../src/governance/create-governance.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { admin, coreFixture, create, kindOf, llmApiSpec, providerSpec, rejection } from "../core/core-fixture.ts";
import { startEvaluator } from "./ruleset-kit.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const described = {
  artifacts: ["LlmApi"],
  ruleset: {
    rules: {
      described: {
        description: "Says what it is for.",
        message: "it does not say what it is for",
        severity: "error",
        given: "$.spec",
        // biome-ignore lint/suspicious/noThenProperty: it is Spectral's word
        then: { field: "description", function: "truthy" },
      },
    },
  },
};
const blocking = {
  rulesets: ["described"],
  targets: ["global"],
  actions: [{ state: "publish", severity: "error", type: "block" }],
};

interface Governed extends AsyncDisposable {
  readonly core: CoreFixture;
  readonly context: CoreContext;
  readonly governance: Governance;
}

/** A core with a provider, a ruleset and real evaluation. */
async function governed(): Promise<Governed> {
  const core = await coreFixture();
  const governance = createGovernance(() => core.context, startEvaluator());
  Object.assign(core.context, { governance });
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "Ruleset", "described", described);
  return {
    core,
    context: core.context,
    governance,
    async [Symbol.asyncDispose]() {
      await governance[Symbol.asyncDispose]();
      await core[Symbol.asyncDispose]();
    },
  };
}

const publish = (context: CoreContext, name: string) => publishApi(context, admin, kindOf("LlmApi"), name);

async function replace(context: CoreContext, kind: string, name: string, spec: object): Promise<void> {
  const { version } = await getResource(context, kindOf(kind), name);
  await replaceResource(context, admin, kindOf(kind), name, { metadata: { name }, spec }, version);
}

async function rowOf({ context, governance }: Governed, kind: string, name: string) {
  await governance.idle();
  return context.catalog.read.compliance.find((await getResource(context, kindOf(kind), name)).id);
}

test("a publication that a policy blocks is refused with rule, place and message, leaves nothing, and passes once mended", async () => {
  await using all = await governed();
  const { core, context } = all;
  await create(core, "GovernancePolicy", "strict", blocking);
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  const error = await rejection(publish(context, "chat"));
  expect(error.code).toBe("governance.blocked");
  expect(error.issues).toEqual([
    {
      path: "LlmApi/chat: spec",
      message: expect.stringMatching(/^described \(error, line \d+, policy strict\): it does not say what it is for/),
    },
  ]);
  const { id } = await getResource(context, kindOf("LlmApi"), "chat");
  expect(await context.catalog.read.revisions.latest(id)).toBeUndefined();
  expect((await rowOf(all, "LlmApi", "chat"))?.status).toBe("NON_COMPLIANT");

  await replace(context, "LlmApi", "chat", { ...llmApiSpec("/chat"), description: "Talks." });
  expect((await publish(context, "chat")).changed).toBe(true);
  expect(await rowOf(all, "LlmApi", "chat")).toMatchObject({ status: "COMPLIANT", score: 100, dueAtMs: null });
});

test("what is live as it is goes on when a policy comes that would block it, and is told", async () => {
  await using all = await governed();
  const { core, context } = all;
  await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
  await publish(context, "chat");
  expect((await rowOf(all, "LlmApi", "chat"))?.status).toBe("NOT_APPLICABLE");
  await create(core, "GovernancePolicy", "strict", blocking);
  expect((await rowOf(all, "LlmApi", "chat"))?.status).toBe("NON_COMPLIANT");
  expect((await publish(context, "chat")).changed).toBe(false);
  await undeployApi(context, admin, kindOf("LlmApi"), "chat");
  expect((await rejection(publish(context, "chat"))).code).toBe("governance.blocked");
});

test("a file that brings the policy with the API is held to it, as a whole", async () => {
  await using all = await governed();
  const documents = [
    { kind: "LlmApi", metadata: { name: "chat" }, spec: llmApiSpec("/chat") },
    { kind: "GovernancePolicy", metadata: { name: "strict" }, spec: blocking },
  ].map((value) => ({ source: "all.yaml", line: 1, value: { apiVersion: "gatehouse/v1", ...value } }));
  const error = await rejection(applyDocuments(all.context, admin, documents, { dryRun: false, draft: false }));
  expect(error.code).toBe("governance.blocked");
  expect(await all.context.catalog.read.resources.find("GovernancePolicy", "strict")).toBeUndefined();
});

describe("an exemption", () => {
  const exemption = {
    artifact: { kind: "LlmApi", name: "chat" },
    rule: "described",
    reason: "a test",
    approver: "ada",
  };

  test("lets one resource break one rule until it expires", async () => {
    await using all = await governed();
    const { core, context } = all;
    await create(core, "GovernancePolicy", "strict", blocking);
    await create(core, "LlmApi", "chat", llmApiSpec("/chat"));
    await create(core, "LlmApi", "other", llmApiSpec("/other"));
    const expiresAt = new Date(core.clock.now() + 60_000).toISOString();
    await create(core, "Exemption", "for-chat", { ...exemption, expiresAt });
    expect((await rejection(publish(context, "other"))).code).toBe("governance.blocked");
    expect((await publish(context, "chat")).changed).toBe(true);
    const [policy] = (await rowOf(all, "LlmApi", "chat"))?.policies ?? [];
    expect(policy).toMatchObject({ status: "FOLLOWED", rulesets: [{ findings: [{ exemption: "for-chat" }] }] });
    core.clock.advance(60_000);
    await undeployApi(context, admin, kindOf("LlmApi"), "chat");
    expect((await rejection(publish(context, "chat"))).code).toBe("governance.blocked");
  });
});

describe("a ruleset", () => {
  test("that is none is refused with the member at fault", async () => {
    await using all = await governed();
    const broken = { artifacts: ["LlmApi"], ruleset: { rules: { one: { given: "$" } } } };
    const error = await rejection(create(all.core, "Ruleset", "broken", broken));
    expect(error.code).toBe("resource.invalid");
    expect(error.issues[0]?.path).toMatch(/^spec\.ruleset\.rules\.one/);
  });

  test("with functions of its own is refused", async () => {
    await using all = await governed();
    const ruleset = { functions: ["mine"], rules: {} };
    const error = await rejection(create(all.core, "Ruleset", "clever", { artifacts: ["LlmApi"], ruleset }));
    expect(error.issues).toEqual([{ path: "spec.ruleset", message: expect.stringContaining("run code") }]);
  });

  test("that would extend itself through others is refused", async () => {
    await using all = await governed();
    const extending = (name: string) => ({ artifacts: ["LlmApi"], ruleset: { extends: [name] } });
    await create(all.core, "Ruleset", "outer", extending("described"));
    const error = await rejection(replace(all.context, "Ruleset", "described", extending("outer")));
    expect(error.message).toContain("goes in a circle");
  });

  test("that a policy or a ruleset uses is not deleted, and they are told", async () => {
    await using all = await governed();
    await create(all.core, "GovernancePolicy", "strict", blocking);
    const error = await rejection(deleteResource(all.context, admin, kindOf("Ruleset"), "described", 1));
    expect(error.code).toBe("resource.in_use");
    expect(error.message).toContain("GovernancePolicy/strict");
  });

  test("of another kind is not applicable, and no error", async () => {
    await using all = await governed();
    await create(all.core, "GovernancePolicy", "strict", blocking);
    expect((await rowOf(all, "LlmProvider", "openai"))?.status).toBe("NOT_APPLICABLE");
  });
});

test("a change of a ruleset has what it is for looked at again", async () => {
  await using all = await governed();
  await create(all.core, "GovernancePolicy", "strict", blocking);
  await create(all.core, "LlmApi", "chat", llmApiSpec("/chat"));
  expect((await rowOf(all, "LlmApi", "chat"))?.status).toBe("NON_COMPLIANT");
  await replace(all.context, "Ruleset", "described", { ...described, ruleset: { rules: {} } });
  expect((await rowOf(all, "LlmApi", "chat"))?.status).toBe("NOT_APPLICABLE");
});

test("what waits when the process ends is looked at after the next start", async () => {
  const core = await coreFixture();
  await using _ = core;
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "Ruleset", "described", described);
  await create(core, "GovernancePolicy", "strict", { ...blocking, actions: [] });
  await create(core, "LlmApi", "chat", llmApiSpec("/chat")); // nobody is there to look at it
  await using governance = createGovernance(() => core.context, startEvaluator());
  governance.wake();
  await governance.idle();
  const { id } = await getResource(core.context, kindOf("LlmApi"), "chat");
  expect((await core.context.catalog.read.compliance.find(id))?.status).toBe("NON_COMPLIANT");
});

test("a draft of a policy says what it would block, and keeps nothing", async () => {
  await using all = await governed();
  await create(all.core, "LlmApi", "chat", llmApiSpec("/chat"));
  const chat = await getResource(all.context, kindOf("LlmApi"), "chat");
  const pending = [{ kind: "GovernancePolicy", name: "draft", spec: blocking }];
  const [verdict] = await all.governance.tryOut([chat], pending);
  expect(verdict).toMatchObject({ status: "NON_COMPLIANT", blocked: { deploy: 0, publish: 1 } });
  expect((await publish(all.context, "chat")).changed).toBe(true);
});
