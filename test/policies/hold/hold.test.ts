import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { decideApproval } from "../../../src/core/approvals.ts";
import { rightsOfRoles } from "../../../src/core/rights.ts";
import { scopeCatalog } from "../../../src/core/scope-catalog.ts";
import type { PublishedServer } from "../../gateway/mcp/published-server.ts";
import { answering, keyFor, messageOf, publishServer, rpcOf, toolCall } from "../../gateway/mcp/published-server.ts";
import { eventually } from "../../kit/eventually.ts";
import type { TestGatehouse } from "../../kit/gatehouse.ts";
import { startTestGatehouse, testActor } from "../../kit/gatehouse.ts";
import type { MockUpstream } from "../../kit/mock-upstream.ts";
import { json, startMockUpstream } from "../../kit/mock-upstream.ts";
import { approvalsOf, comingBack, decide, stateOf, waitingFor } from "./hold-kit.ts";

let gatehouse: TestGatehouse;
let upstream: MockUpstream;

beforeAll(async () => {
  upstream = await startMockUpstream();
  gatehouse = await startTestGatehouse();
});

afterAll(async () => {
  await gatehouse[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

beforeEach(() => upstream.respond(answering("done")));

let servers = 0;
const held = (config: object = {}, more: object = {}): Promise<PublishedServer> => {
  servers += 1;
  const policies = [{ use: "hold", with: { waitMs: 0, ...config }, ...more }];
  return publishServer(gatehouse, `held-${servers}`, `${upstream.url}/mcp`, { policies });
};
const modern = { era: "modern" } as const;
const textOf = (answer: Parameters<typeof rpcOf>[0]) => rpcOf(answer).result?.["content"];
const done = [{ type: "text", text: "done" }];
const codeOf = (answer: Parameters<typeof rpcOf>[0]) => rpcOf(answer).error?.data?.["code"];

describe("a legacy client", () => {
  test("gets its answer when somebody approves while it waits", async () => {
    const server = await held({ waitMs: 60_000 });
    const before = upstream.seen.length;
    const call = server.post(toolCall("legacy", 1, "wipe_1", { disk: "a" }));
    const { id } = await waitingFor(gatehouse, "wipe_1");
    expect(upstream.seen.length).toBe(before);
    await decide(gatehouse, id, "approve");
    expect(textOf(await call)).toEqual(done);
    expect(upstream.seen.length).toBe(before + 1);
    expect((await approvalsOf(gatehouse)).find((row) => row.id === id)?.state).toBe("used");
  });

  test("is told the approval when it has waited long enough, and the same call goes up once when it is given", async () => {
    const server = await held();
    const refused = await server.post(toolCall("legacy", 7, "wipe_2", { disk: "a" }));
    const { id } = await waitingFor(gatehouse, "wipe_2");
    expect([refused.status, rpcOf(refused).id]).toEqual([403, 7]);
    expect(rpcOf(refused).error).toMatchObject({ code: 1_403, data: { code: "approval.required", approval: id } });
    expect(rpcOf(refused).error?.message).toContain(id);
    await decide(gatehouse, id, "approve");
    expect(textOf(await server.post(toolCall("legacy", 8, "wipe_2", { disk: "a" })))).toEqual(done);
    expect(codeOf(await server.post(toolCall("legacy", 9, "wipe_2", { disk: "a" })))).toBe("approval.required");
  });

  test("is refused when somebody says no, with the reason, and is not asked about again", async () => {
    const server = await held();
    await server.post(toolCall("legacy", 1, "wipe_3"));
    const { id } = await waitingFor(gatehouse, "wipe_3");
    await decide(gatehouse, id, "deny", "not on a Friday");
    const refused = await server.post(toolCall("legacy", 2, "wipe_3"));
    expect(codeOf(refused)).toBe("approval.denied");
    expect(rpcOf(refused).error?.message).toContain("not on a Friday");
    expect((await approvalsOf(gatehouse)).filter((row) => row.tool === "wipe_3")).toHaveLength(1);
  });

  test("that leaves while it waits leaves nothing behind but the question", async () => {
    const server = await held({ waitMs: 60_000 });
    const before = upstream.seen.length;
    const leaving = new AbortController();
    const call = fetch(server.url, {
      method: "POST",
      signal: leaving.signal,
      headers: {
        authorization: `Bearer ${server.key}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2025-11-25",
      },
      body: JSON.stringify(toolCall("legacy", 1, "wipe_4")),
    });
    const { id } = await waitingFor(gatehouse, "wipe_4");
    leaving.abort();
    await expect(call).rejects.toThrow();
    await eventually("the row says so", async () =>
      (await gatehouse.events()).some((event) => event.type === "exchange" && event.operation_name === "wipe_4"),
    );
    await decide(gatehouse, id, "approve");
    expect(upstream.seen.length).toBe(before);
    expect((await approvalsOf(gatehouse)).find((row) => row.id === id)?.state).toBe("approved");
  });
});

describe("a modern client", () => {
  test("is asked to come back, and its call goes up without the gateway's state when it does", async () => {
    const server = await held();
    const asked = await server.post(comingBack(1, "pay_1", { amount: 1 }), modern);
    const { id } = await waitingFor(gatehouse, "pay_1");
    expect(rpcOf(asked).result).toMatchObject({ _meta: { "gatehouse/approval": { approval: id } } });
    const again = await server.post(comingBack(2, "pay_1", { amount: 1 }, stateOf(asked)), modern);
    expect(stateOf(again)).toBeDefined();
    await decide(gatehouse, id, "approve");
    const answer = await server.post(comingBack(3, "pay_1", { amount: 1 }, stateOf(again)), modern);
    expect(textOf(answer)).toEqual(done);
    expect(messageOf(upstream.seen.at(-1)).params).toMatchObject({ name: "pay_1", arguments: { amount: 1 } });
    expect(messageOf(upstream.seen.at(-1)).params).not.toHaveProperty("requestState");
  });

  test("cannot use an approval twice, also with both states in hand", async () => {
    const server = await held();
    const first = stateOf(await server.post(comingBack(1, "pay_2", { amount: 1 }), modern));
    const second = stateOf(await server.post(comingBack(2, "pay_2", { amount: 1 }), modern));
    await decide(gatehouse, (await waitingFor(gatehouse, "pay_2")).id, "approve");
    const before = upstream.seen.length;
    const answers = await Promise.all(
      [first, second, first].map((state, at) => server.post(comingBack(at, "pay_2", { amount: 1 }, state), modern)),
    );
    expect(answers.filter((answer) => rpcOf(answer).result !== undefined)).toHaveLength(1);
    expect(answers.filter((answer) => rpcOf(answer).error?.code === -32_602)).toHaveLength(2);
    expect(upstream.seen.length).toBe(before + 1);
  });

  test.each([
    { name: "arguments", tool: "pay_3", change: { amount: 2 }, other: false },
    { name: "arguments beyond what a number holds", tool: "pay_4", change: "12345678901234567891", other: false },
    { name: "another key", tool: "pay_5", change: { amount: 1 }, other: true },
  ])("cannot go on with other $name", async ({ tool, change, other }) => {
    const server = await held();
    const key = other ? await keyFor(gatehouse, `held-${servers}`) : server.key;
    const big = typeof change === "string";
    const message = (state: unknown, digits: string): string =>
      JSON.stringify(comingBack(1, tool, { amount: 1 }, state)).replace('"amount":1', `"amount":${digits}`);
    const headers = { "mcp-method": "tools/call", "mcp-name": tool, "mcp-protocol-version": "2026-07-28" };
    const ask = big ? server.post(message(undefined, "12345678901234567890"), { headers }) : undefined;
    const asked = await (ask ?? server.post(comingBack(1, tool, { amount: 1 }), modern));
    await decide(gatehouse, (await waitingFor(gatehouse, tool)).id, "approve");
    const before = upstream.seen.length;
    const answer = big
      ? await server.post(message(stateOf(asked), change), { headers })
      : await server.post(comingBack(2, tool, change, stateOf(asked)), { ...modern, key });
    expect(rpcOf(answer).error?.code).toBe(-32_602);
    const withoutState = big
      ? await server.post(message(undefined, change), { headers })
      : await server.post(comingBack(3, tool, change), { ...modern, key });
    expect(stateOf(withoutState)).toBeDefined();
    expect(upstream.seen.length).toBe(before);
  });

  test("is refused with a state that was tampered with", async () => {
    const server = await held();
    const state = String(stateOf(await server.post(comingBack(1, "pay_6", {}), modern)));
    const other = `${state.slice(0, -2)}${state.endsWith("AA") ? "BB" : "AA"}`;
    const answer = await server.post(comingBack(2, "pay_6", {}, other), modern);
    expect(rpcOf(answer).error?.code).toBe(-32_602);
  });

  test("must ask again after the policy was changed", async () => {
    const server = await held();
    const name = `held-${servers}`;
    const asked = await server.post(comingBack(1, "pay_7", {}), modern);
    await decide(gatehouse, (await waitingFor(gatehouse, "pay_7")).id, "approve");
    await publishServer(gatehouse, name, `${upstream.url}/mcp`, {
      policies: [{ use: "hold", with: { waitMs: 0, expiresAfterMs: 20_000 } }],
    });
    expect(rpcOf(await server.post(comingBack(2, "pay_7", {}, stateOf(asked)), modern)).error?.code).toBe(-32_602);
    expect(stateOf(await server.post(comingBack(3, "pay_7", {}), modern))).toBeDefined();
  });
});

describe("which calls wait", () => {
  test("those of the tools named, and no other message", async () => {
    const server = await held({ tools: ["drop_*"] });
    expect(textOf(await server.post(toolCall("legacy", 1, "read")))).toEqual(done);
    expect(codeOf(await server.post(toolCall("legacy", 2, "drop_table")))).toBe("approval.required");
    const list = await server.post({ jsonrpc: "2.0", id: 3, method: "tools/list" });
    expect(rpcOf(list).result).toBeDefined();
  });

  test("those of tools that say so, and of tools that say nothing", async () => {
    const server = await held({ hints: { destructiveHint: true, readOnlyHint: false } });
    upstream.respond((seen, response) => {
      const tools = [
        { name: "look", inputSchema: {}, annotations: { readOnlyHint: true } },
        { name: "add", inputSchema: {}, annotations: { destructiveHint: false } },
        { name: "silent", inputSchema: {} },
      ];
      return json(200, { jsonrpc: "2.0", id: messageOf(seen).id, result: { tools } })(seen, response);
    });
    await server.post({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    upstream.respond(answering("done"));
    expect(textOf(await server.post(toolCall("legacy", 1, "look")))).toEqual(done);
    expect(textOf(await server.post(toolCall("legacy", 2, "add")))).toEqual(done);
    expect(codeOf(await server.post(toolCall("legacy", 3, "silent")))).toBe("approval.required");
    expect(codeOf(await server.post(toolCall("legacy", 4, "unheard")))).toBe("approval.required");
  });

  test("those whose arguments meet the condition, and those that cannot be judged by it", async () => {
    const server = await held({ when: "double(arguments.amount) > 100.0" });
    expect(textOf(await server.post(toolCall("legacy", 1, "pay", { amount: 5 })))).toEqual(done);
    expect(codeOf(await server.post(toolCall("legacy", 2, "pay", { amount: 500 })))).toBe("approval.required");
    expect(codeOf(await server.post(toolCall("legacy", 3, "pay", { sum: 5 })))).toBe("approval.required");
  });

  test("none in monitor mode, in which nobody is asked either", async () => {
    const server = await held({}, { mode: "monitor" });
    expect(textOf(await server.post(toolCall("legacy", 1, "watched")))).toEqual(done);
    expect((await approvalsOf(gatehouse)).filter((row) => row.tool === "watched")).toEqual([]);
  });
});

test.each([
  { show: "nothing", shown: null },
  { show: "names", shown: { iban: "(text of 4 characters)", to: "(object)", list: "(list of 1)" } },
  { show: "values", shown: { iban: "(masked)", to: { name: "Ada", iban: "(masked)" }, list: [1] } },
])("approvers see of the arguments what the policy shows: $show", async ({ show, shown }) => {
  const server = await held({ show, mask: ["iban"] });
  const tool = `shown_${show}`;
  await server.post(toolCall("legacy", 1, tool, { iban: "DE12", to: { name: "Ada", iban: "DE12" }, list: [1] }));
  expect((await waitingFor(gatehouse, tool)).shown).toEqual(shown);
});

test("a caller with a hundred calls that wait is told to come back later, and others are not", async () => {
  const server = await held();
  const name = `held-${servers}`;
  const calls = Array.from({ length: 101 }, (_, n) => server.post(toolCall("legacy", n, "flood", { n })));
  const codes = (await Promise.all(calls)).map(codeOf);
  expect(codes.filter((code) => code === "approval.required")).toHaveLength(100);
  expect(codes.filter((code) => code === "limit.concurrency")).toHaveLength(1);
  const key = await keyFor(gatehouse, name);
  expect(codeOf(await server.post(toolCall("legacy", 1, "flood", { n: 1 }), { key }))).toBe("approval.required");
});

test("people of another team see no approval of this one and decide none", async () => {
  const server = await held();
  await server.post(toolCall("legacy", 1, "private"));
  const { id } = await waitingFor(gatehouse, "private");
  const { context } = gatehouse.running;
  const rights = rightsOfRoles({ roles: [], teams: [{ teamId: "team_other", roles: ["api-publisher"] }] });
  const catalog = scopeCatalog(context.catalog, { rights, sharedTeamId: "team_shared", signInKeyManagers: [] });
  expect((await catalog.read.approvals.list({}, { limit: 10 })).rows).toEqual([]);
  const deciding = decideApproval({ ...context, catalog }, testActor, id, { decision: "approve" });
  await expect(deciding).rejects.toMatchObject({ code: "resource.not_found" });
  expect((await waitingFor(gatehouse, "private")).state).toBe("pending");
});
