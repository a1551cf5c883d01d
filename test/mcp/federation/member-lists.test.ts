import { expect, test } from "vitest";
import { Cancellation } from "../../../src/kernel/cancellation.ts";
import { GatewayError } from "../../../src/kernel/errors.ts";
import type { McpBackend, McpContext, McpReply } from "../../../src/mcp/backend.ts";
import type { Member } from "../../../src/mcp/federation/member.ts";
import type { MemberListSettings } from "../../../src/mcp/federation/member-lists.ts";
import { createMemberLists } from "../../../src/mcp/federation/member-lists.ts";
import { manualClock } from "../../kit/manual-clock.ts";

const settings: MemberListSettings = { onFailure: "failOpen", lastKnown: true, timeoutMs: 1_000, keepMs: 10_000 };

/** A member whose `tools/list` is whatever `answer` says; `reads` are the owners who asked for it. */
function member(name: string, answer: () => Promise<McpReply>): Member & { readonly reads: string[] } {
  const reads: string[] = [];
  const backend: McpBackend = {
    facts: () =>
      Promise.resolve({ serverInfo: {}, capabilities: { tools: {} }, instructions: undefined, versions: [] }),
    request(_, { owner }) {
      reads.push(owner);
      return answer();
    },
    notify: () => Promise.resolve(),
    listen: () => Promise.reject(new Error("nobody listens here")),
    dispose: () => undefined,
  };
  return { name, backend, reads, takes: () => true, rename: (_, own) => `${name}_${own}` };
}

function asked(owner: string): McpContext {
  return {
    exchange: undefined,
    owner,
    session: undefined,
    client: { era: "modern", protocolVersion: "2026-07-28", info: undefined, capabilities: {}, logLevel: undefined },
    cancellation: new Cancellation(),
    headers: {},
    progressToken: undefined,
    notify: () => undefined,
    ask: () => Promise.reject(new Error("nobody is asked here")),
  };
}

const tools = (...names: string[]): Promise<McpReply> =>
  Promise.resolve({ result: { tools: names.map((name) => ({ name })) } });

test("who asks while a list is read waits for the same one, and gets it for a while", async () => {
  const clock = manualClock();
  const one = member("one", () => tools("a"));
  const lists = createMemberLists([one], settings, clock);
  await Promise.all([lists.list("tools", asked("me")), lists.list("tools", asked("me"))]);
  clock.advance(9_999);
  await lists.list("tools", asked("me"));
  expect(one.reads).toEqual(["me"]);
  clock.advance(1);
  await lists.list("tools", asked("me"));
  expect(one.reads).toEqual(["me", "me"]);
});

test("a list is its caller's own, and one caller has nobody else's read again", async () => {
  const one = member("one", () => tools("a"));
  const lists = createMemberLists([one], settings, manualClock());
  for (const owner of ["me", "you"]) await lists.list("tools", asked(owner));
  lists.forget("tools", asked("me"));
  for (const owner of ["me", "you"]) await lists.list("tools", asked(owner));
  expect(one.reads).toEqual(["me", "you", "me"]);
  lists.changed();
  await lists.list("tools", asked("you"));
  expect(one.reads).toHaveLength(4);
});

test("a server that does not answer in time keeps nobody else's entries back", async () => {
  const clock = manualClock();
  const slow = member("slow", () => new Promise(() => undefined));
  const quick = member("quick", () => tools("a"));
  const lists = createMemberLists([slow, quick], settings, clock);
  const list = lists.list("tools", asked("me"));
  await new Promise(setImmediate); // what can be answered is
  clock.advance(1_000);
  expect(await list).toMatchObject({ entries: [{ name: "quick_a" }], partial: ["slow"], ttlMs: 0 });
});

test("whoever may not see a list any more is not shown what it was", async () => {
  let isRefused = false;
  const one = member("one", () =>
    isRefused ? Promise.reject(new GatewayError("auth.forbidden", "No.")) : tools("secret"),
  );
  const two = member("two", () => tools("open"));
  const lists = createMemberLists([one, two], { ...settings, keepMs: 0 }, manualClock());
  expect((await lists.list("tools", asked("me"))).entries).toHaveLength(2);
  isRefused = true;
  expect(await lists.list("tools", asked("me"))).toMatchObject({ entries: [{ name: "two_open" }], partial: ["one"] });
});

test("what another caller was shown last is shown to nobody", async () => {
  let isDown = false;
  const one = member("one", () =>
    isDown ? Promise.reject(new GatewayError("upstream.timeout", "Late.")) : tools("a"),
  );
  const two = member("two", () => tools("b"));
  const lists = createMemberLists([one, two], { ...settings, keepMs: 0 }, manualClock());
  await lists.list("tools", asked("me"));
  isDown = true;
  expect((await lists.list("tools", asked("me"))).entries).toHaveLength(2);
  expect((await lists.list("tools", asked("you"))).entries).toEqual([{ name: "two_b" }]);
});
