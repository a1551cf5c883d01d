import { expect, test } from "vitest";
import type { GovernanceEvent } from "../../src/core/governance-event.ts";
import { publishApi } from "../../src/core/publishing.ts";
import { deleteResource, getResource, replaceResource } from "../../src/core/resources.ts";
import type { Governance } from "../../src/governance/create-governance.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { admin, coreFixture, create, kindOf, llmApiSpec, providerSpec } from "../core/core-fixture.ts";

const place = { line: 0, character: 0 };
const range = { start: place, end: place };
const unsafe = { rule: "unsafe", severity: "error", message: "it is not safe", path: ["spec"], range } as const;

/** Finds documents unsafe that say "bad". */
const reader: RulesetEvaluator = {
  evaluate: async ({ document }) => ({
    findings: document.text.includes('"bad"') ? [unsafe] : [],
    rules: ["unsafe"],
    faults: [],
  }),
  [Symbol.asyncDispose]: async () => {},
};

const dayMs = 86_400_000;

interface Governed extends AsyncDisposable {
  readonly core: CoreFixture;
  readonly governance: Governance;
  readonly events: GovernanceEvent[];
}

function govern(core: CoreFixture): Pick<Governed, "governance" | "events"> {
  const events: GovernanceEvent[] = [];
  const governance = createGovernance(() => core.context, reader, { record: (event) => events.push(event) });
  Object.assign(core.context, { governance });
  governance.wake();
  return { governance, events };
}

/** An LLM API `chat` under a policy that blocks its deployment where its description is "bad". */
async function governed(description: string): Promise<Governed> {
  const core = await coreFixture();
  const { governance, events } = govern(core);
  await create(core, "LlmProvider", "openai", providerSpec);
  await create(core, "LlmApi", "chat", { ...llmApiSpec("/chat"), description });
  await create(core, "Ruleset", "safe", { artifacts: ["LlmApi"], ruleset: { rules: {} } });
  const actions = [{ state: "deploy", severity: "error", type: "block" }];
  await create(core, "GovernancePolicy", "safety", { rulesets: ["safe"], targets: ["global"], actions });
  await governance.idle();
  return {
    core,
    governance,
    events,
    async [Symbol.asyncDispose]() {
      await governance[Symbol.asyncDispose]();
      await core[Symbol.asyncDispose]();
    },
  };
}

const short = ({ act, artifact_name, from_status, to_status, policy, rule }: GovernanceEvent) =>
  [act, artifact_name, `${from_status}>${to_status}`, policy, rule].join(" ");
const ofChat = (events: readonly GovernanceEvent[]) =>
  events.filter(({ artifact_name }) => artifact_name === "chat").map(short);

async function describeAs({ core, governance }: Governed, description: string): Promise<void> {
  const { version } = await getResource(core.context, kindOf("LlmApi"), "chat");
  const body = { metadata: { name: "chat" }, spec: { ...llmApiSpec("/chat"), description } };
  await replaceResource(core.context, admin, kindOf("LlmApi"), "chat", body, version);
  await governance.idle();
}

test("what is found of a resource, and that it is gone, is recorded with its id and team", async () => {
  await using all = await governed("good");
  const { id, teamId } = await getResource(all.core.context, kindOf("LlmApi"), "chat");
  await describeAs(all, "bad");
  const changes = all.events.filter(({ act }) => act !== "compliance.seen");
  expect(ofChat(changes)).toEqual([
    "compliance.changed chat PENDING>COMPLIANT  ",
    "policy.changed chat UNAPPLIED>FOLLOWED safety ",
    "compliance.changed chat COMPLIANT>NON_COMPLIANT  ",
    "policy.changed chat FOLLOWED>VIOLATED safety ",
    "rule.broken chat > safety unsafe",
  ]);
  const { version } = await getResource(all.core.context, kindOf("LlmApi"), "chat");
  await deleteResource(all.core.context, admin, kindOf("LlmApi"), "chat", version);
  expect(all.events.at(-1)).toMatchObject({ act: "artifact.removed", artifact_id: id, team_id: teamId });
  for (const event of all.events) expect(event).toMatchObject({ type: "governance", team_id: teamId });
  expect(new Set(all.events.map(({ event_id }) => event_id)).size).toBe(all.events.length);
});

test("a resource for which there is no rule is not recorded", async () => {
  await using all = await governed("good");
  expect(all.events.filter(({ artifact_name }) => artifact_name === "openai")).toEqual([]);
});

test("a deployment that is blocked is recorded with the rule, and leaves the error as it is", async () => {
  await using all = await governed("bad");
  all.events.length = 0;
  await expect(publishApi(all.core.context, admin, kindOf("LlmApi"), "chat")).rejects.toMatchObject({
    code: "governance.blocked",
  });
  expect(ofChat(all.events)).toEqual(["deployment.blocked chat >NON_COMPLIANT safety unsafe"]);
});

test("how each resource stands is noted when a day begins, also of one that never changes, and once after a restart", async () => {
  await using all = await governed("good");
  const { clock } = all.core;
  for (const _ of [1, 2]) {
    all.events.length = 0;
    clock.advance(dayMs - (clock.now() % dayMs));
    await all.governance.idle();
    expect(ofChat(all.events)).toEqual(["compliance.seen chat COMPLIANT>COMPLIANT  "]);
    expect(all.events[0]).toMatchObject({ score: 100 });
  }
  await all.governance[Symbol.asyncDispose]();
  const again = govern(all.core);
  await again.governance.idle();
  expect(again.events).toEqual([]); // nothing has happened: no store is woken for it
  await describeAs({ ...all, ...again }, "bad");
  await describeAs({ ...all, ...again }, "good");
  expect(again.events.filter(({ act }) => act === "compliance.seen").map(({ artifact_name }) => artifact_name)).toEqual(
    ["chat"],
  );
  await again.governance[Symbol.asyncDispose]();
});

test("nothing is recorded of a verdict that could not be kept", async () => {
  await using all = await governed("good");
  all.events.length = 0;
  const { catalog } = all.core.context;
  const transaction = catalog.transaction.bind(catalog);
  let refusals = 1;
  Object.assign(all.core.context, {
    catalog: {
      read: catalog.read,
      transaction: (...call: Parameters<typeof transaction>) =>
        call[1]?.isBackground === true && refusals-- > 0
          ? Promise.reject(new Error("disk full"))
          : transaction(...call),
    },
  });
  await describeAs(all, "bad");
  expect(all.events).toEqual([]);
});
