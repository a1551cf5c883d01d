import { expect, test } from "vitest";
import { allHeld } from "../../src/core/mcp-quarantine.ts";
import type { PlaneMessage } from "../../src/core/plane-message.ts";
import { deleteResource, getResource } from "../../src/core/resources.ts";
import { createGovernance } from "../../src/governance/create-governance.ts";
import type { Finding } from "../../src/governance/finding.ts";
import type { RulesetEvaluator } from "../../src/governance/ruleset-evaluator.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { CoreFixture } from "../core/core-fixture.ts";
import { admin, coreFixture, create, kindOf } from "../core/core-fixture.ts";

interface Told extends RulesetEvaluator {
  findings: readonly Finding[];
  isAway: boolean;
}

/** An evaluator that finds what it is told to. */
function toldEvaluator(...findings: readonly Finding[]): Told {
  return {
    findings,
    isAway: false,
    async evaluate() {
      if (this.isAway) throw new GatewayError("governance.unavailable", "Rulesets cannot be evaluated now.");
      return { findings: this.findings, rules: ["unsafe"], faults: [] };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

const place = { line: 0, character: 0 };
const at = (...path: readonly (string | number)[]): Finding => ({
  rule: "unsafe",
  severity: "error",
  message: "it is not safe",
  path,
  range: { start: place, end: place },
});

/** A server that was seen to offer these tools, under a policy with that action at run time. */
async function server(type: string, ...tools: readonly string[]): Promise<CoreFixture & { readonly apiId: string }> {
  const core = await coreFixture();
  const upstream = { production: { url: "https://tools.example.com/mcp" }, sandbox: { sameAs: "production" } };
  await create(core, "McpServer", "desk", { context: "/desk", upstream, pins: { mode: "warn" } });
  const { id: apiId } = await getResource(core.context, kindOf("McpServer"), "desk");
  for (const name of tools) await offer(core, apiId, name, "fine");
  await create(core, "Ruleset", "safe", { artifacts: ["McpServer"], ruleset: { rules: {} } });
  const actions = [{ state: "runtime", severity: "error", type }];
  await create(core, "GovernancePolicy", "safety", { rulesets: ["safe"], targets: ["global"], actions });
  return Object.assign(core, { apiId });
}

async function offer({ context, clock }: CoreFixture, apiId: string, name: string, description: string): Promise<void> {
  const seen = { name, description };
  await context.catalog.transaction(async ({ mcpPins, compliance }) => {
    const nowMs = clock.now();
    const hashes = { approvedHash: null, approved: null, seenHash: description, seen, seenAtMs: nowMs };
    await mcpPins.put({ id: `pin_${name}`, apiId, environment: "production", kind: "tool", name, ...hashes });
    await compliance.enqueue({ ids: [apiId] }, nowMs);
  });
}

const heldOf = (messages: readonly PlaneMessage[]) =>
  messages.flatMap((message) =>
    message.type === "mcp-held.put" ? [message.held.entries.map(({ name }) => name)] : [],
  );

async function names({ context }: CoreFixture): Promise<readonly string[]> {
  const held = await context.catalog.transaction(allHeld);
  return held.flatMap(({ entries }) => entries.map(({ name }) => name));
}

test("a thousand faults in one tool keep no other tool out of quarantine", async () => {
  await using core = await server("quarantine", "decoy", "evil");
  const decoys = Array.from({ length: 1_500 }, (_, index) => at("tools", 0, "inputSchema", index));
  await using governance = createGovernance(
    () => core.context,
    toldEvaluator(...decoys, at("tools", 1, "description")),
  );
  governance.wake();
  await governance.idle();
  expect(heldOf(core.messages)).toEqual([["decoy", "evil"]]);
  const { rows } = await core.context.catalog.read.compliance.list({ kind: "McpServer" }, { limit: 1 });
  expect(rows[0]?.policies[0]?.rulesets[0]?.findings).toHaveLength(1_001);
});

test("what is told only keeps nothing in quarantine, nor does a fault of the server as a whole", async () => {
  await using told = await server("notify", "pay");
  await using governance = createGovernance(() => told.context, toldEvaluator(at("tools", 0, "description")));
  governance.wake();
  await governance.idle();
  await using whole = await server("quarantine", "pay");
  await using other = createGovernance(() => whole.context, toldEvaluator(at("metadata", "name"), at("tools")));
  other.wake();
  await other.idle();
  expect([await names(told), await names(whole)]).toEqual([[], []]);
  expect(heldOf([...told.messages, ...whole.messages])).toEqual([]);
});

test("nothing leaves quarantine because rules cannot be evaluated, and all of it when the policy goes", async () => {
  await using core = await server("quarantine", "pay", "send");
  const evaluator = toldEvaluator(at("tools", 1, "description"));
  await using governance = createGovernance(() => core.context, evaluator);
  governance.wake();
  await governance.idle();
  expect(await names(core)).toEqual(["send"]);

  evaluator.isAway = true;
  await offer(core, core.apiId, "send", "otherwise");
  governance.wake();
  await governance.idle();
  expect(await names(core)).toEqual(["send"]);
  expect(heldOf(core.messages)).toEqual([["send"]]);

  await deleteResource(core.context, admin, kindOf("GovernancePolicy"), "safety", 1);
  core.clock.advance(30_000);
  await governance.idle();
  expect(await names(core)).toEqual([]);
  expect(heldOf(core.messages)).toEqual([["send"], []]);
});

test("a draft of a policy says what it would hide, and hides nothing", async () => {
  await using core = await server("notify", "pay", "send");
  await using governance = createGovernance(() => core.context, toldEvaluator(at("tools", 1, "description")));
  const actions = [{ state: "runtime", severity: "error", type: "quarantine" }];
  const draft = kindOf("GovernancePolicy").spec.parse({ rulesets: ["safe"], targets: ["global"], actions });
  const desk = await getResource(core.context, kindOf("McpServer"), "desk");
  const pending = [{ kind: "GovernancePolicy", name: "strict", spec: draft }];
  const [verdict] = await governance.tryOut([desk], pending);
  expect(verdict?.quarantined).toEqual([{ kind: "tool", name: "send", policies: ["strict"], rules: ["unsafe"] }]);
  const [asItIs] = await governance.tryOut([desk], []);
  expect(asItIs?.quarantined).toEqual([]);
  expect([await names(core), heldOf(core.messages)]).toEqual([[], []]);
});
