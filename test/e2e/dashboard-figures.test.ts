import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { errorKindNames } from "../../src/analytics/questions/error-kinds.ts";
import { toolCall } from "../gateway/mcp/published-server.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import type { McpTraffic } from "./mcp-traffic.ts";
import { begin, fail, message, modernCall, startMcpTraffic } from "./mcp-traffic.ts";

/** Of each row the values of those members. */
function counted(rows: readonly Readonly<Record<string, unknown>>[], ...members: readonly string[]): unknown[] {
  return rows.map((row) => members.map((member) => row[member]));
}

describeWithEngine("figures of a dashboard, counted by hand over what has passed a gateway", () => {
  let traffic: McpTraffic;

  // 27 messages: 6 in a session of notes, 4 in one of wiki, 1 without a session, and 16 that are to fail, but one.
  beforeAll(async () => {
    traffic = await startMcpTraffic();
    const { notes, wiki } = traffic;
    const call = (name: string) => toolCall("legacy", 1, name, { text: "x" });
    const inspector = { headers: await begin(notes, { name: "inspector", version: "1.2" }) };
    for (const name of ["search", "search", "search", "read_a", "fails"]) await notes.post(call(name), inspector);
    const agent = { headers: await begin(wiki, { name: "agent", version: "3" }) };
    for (const name of ["search", "search"]) await wiki.post(call(name), agent);
    await wiki.post(message("resources/read", { uri: "file:///a" }), agent);
    await notes.post(modernCall("search"), { era: "modern" });
    await fail(traffic);
    await traffic.settle();
  }, 120_000);
  afterAll(() => traffic[Symbol.asyncDispose]());

  const ask = (path: string) => traffic.ask(path);

  test("tool calls, unique consumers, unique sessions and the share of errors", async () => {
    // Calls: 5 in a session, 2 in the other, 1 without, and 13 that fail when they are known to be calls. Consumers: one
    // key of each server, and one that may only read. Errors: a tool's own in the session, and 15.
    expect(await ask("audience")).toMatchObject([
      { requests: 27, toolCalls: 21, consumers: 4, sessions: 2, clients: 2, errors: 16, errorShare: 0.5926 },
    ]);
    expect(await ask("audience?api=wiki")).toMatchObject([
      { requests: 4, toolCalls: 2, consumers: 1, sessions: 1, clients: 1, errors: 0, errorShare: 0 },
    ]);
  });

  test("consumers over time: the steps of an hour have what the rows of that hour have", async () => {
    const steps = await ask("audience?granularity=hour&api=narrow");
    const rows = await traffic.sql(
      "SELECT DISTINCT toString(toUnixTimestamp(toStartOfHour(ts))) AS at FROM exchanges WHERE api_name = 'narrow' ORDER BY at",
    );
    expect(steps.map(({ at }) => String(Date.parse(String(at)) / 1_000))).toEqual(rows.map(({ at }) => at));
    for (const step of steps) expect(step).toMatchObject({ consumers: 1 });
  });

  test("volume: requests, what was refused and what failed", async () => {
    const row = z.looseObject({ requests: z.int(), denied: z.int(), failed: z.int() });
    const steps = z.array(row).parse(await ask("traffic?stepSeconds=3600"));
    const sum = (member: "requests" | "denied" | "failed") => steps.reduce((all, step) => all + step[member], 0);
    // Refused: without a key, not JSON, not JSON-RPC, not allowed, the guardrail, the limit. Failed: seven errors of the
    // server's and a connection that broke; a tool's own error is none of the protocol.
    expect([sum("requests"), sum("denied"), sum("failed")]).toEqual([27, 6, 8]);
  });

  test("the most used tools, by calls, failures and consumers", async () => {
    expect(counted(await ask("top-tools?limit=4"), "apiName", "tool", "calls", "failed", "consumers")).toEqual(
      expect.arrayContaining([
        ["notes", "search", 5, 0, 1],
        ["wiki", "search", 2, 0, 1],
      ]),
    );
    const notes = await ask("top-tools?api=notes");
    expect(notes.find(({ tool }) => tool === "fails")).toMatchObject({ calls: 2, failed: 2 });
  });

  const kinds = {
    parse: 2,
    invalid_request: 2,
    method_not_found: 2,
    invalid_params: 1,
    internal: 1,
    server: 1,
    tool_error: 2,
    auth: 1,
    throttled: 1,
    guardrail: 1,
    upstream: 1,
    other: 1,
  };

  test("errors by type: of the client's message, of the server's answer, of a tool, and of the gateway's own refusals", async () => {
    const rows = await ask("error-kinds");
    expect(Object.fromEntries(rows.map(({ kind, count }) => [kind, count]))).toEqual(kinds);
    const absent = errorKindNames.filter((name) => !Object.hasOwn(kinds, name));
    expect(absent).toEqual(["approval", "gateway"]); // waits for a person, and a fault of ours: nothing of a protocol's
  });

  test("the trend of errors: the steps have them all", async () => {
    const steps = await ask("error-kinds?granularity=minute");
    const sums = new Map<unknown, number>();
    for (const { kind, count } of steps) sums.set(kind, (sums.get(kind) ?? 0) + z.int().parse(count));
    expect(Object.fromEntries(sums)).toEqual(kinds);
    const ofNarrow = await ask("error-kinds?granularity=hour&api=narrow");
    expect(counted(ofNarrow, "kind", "count")).toEqual([["throttled", 1]]);
  });

  test("the distribution over servers, by what they call themselves", async () => {
    expect(counted(await ask("servers"), "apiName", "serverName", "serverVersion", "requests", "toolCalls")).toEqual([
      ["notes", null, null, 15, 12], // no handshake has told
      ["notes", "far", "9", 6, 5],
      ["wiki", "far", "9", 4, 2],
      ["narrow", null, null, 2, 2],
    ]);
  });

  test("the distribution over clients, with their versions and protocols", async () => {
    const rows = counted(await ask("clients"), "name", "version", "era", "protocolVersion", "requests", "sessions");
    expect(rows).toEqual([
      [null, null, "legacy", "2025-11-25", 13, 0],
      ["inspector", "1.2", "legacy", "2025-11-25", 6, 1],
      ["agent", "3", "legacy", "2025-11-25", 4, 1],
      [null, null, null, null, 3, 0], // refused before they were understood
      ["agent", "3", "modern", "2026-07-28", 1, 0],
    ]);
  });

  test("the heat map has each message in the cell of its day and hour", async () => {
    const rows = await traffic.sql("SELECT toUnixTimestamp64Milli(ts) AS ms FROM exchanges");
    const cells = new Map<string, number>();
    for (const { ms } of rows) {
      const at = new Date(Number(ms));
      const cell = `${at.getUTCDay() || 7}/${at.getUTCHours()}`;
      cells.set(cell, (cells.get(cell) ?? 0) + 1);
    }
    const found = await ask("heat-map");
    expect(new Map(found.map(({ day, hour, requests }) => [`${String(day)}/${String(hour)}`, requests]))).toEqual(
      cells,
    );
    expect(rows).toHaveLength(27);
  });

  test("a session has its messages in their order, with what its handshake told", async () => {
    const [session, ...more] = await ask("sessions?api=notes");
    expect(more).toEqual([]);
    expect(session).toMatchObject({
      clientName: "inspector",
      clientVersion: "1.2",
      serverName: "far",
      protocolVersion: "2025-11-25",
      messages: 6,
      toolCalls: 5,
      tools: 3,
      errors: 1,
    });
    const timeline = await ask(`session-timeline?session=${String(session?.["session"])}`);
    expect(counted(timeline, "method", "name", "isError", "errorCode")).toEqual([
      ["initialize", null, false, null],
      ["tools/call", "search", false, null],
      ["tools/call", "search", false, null],
      ["tools/call", "search", false, null],
      ["tools/call", "read_a", false, null],
      ["tools/call", "fails", true, "tool_error"],
    ]);
  });

  test("the names of arguments and their shape, and no value", async () => {
    const rows = await traffic.sql(
      "SELECT arg_keys, uniqExact(arg_shape_hash) AS shapes, count() AS calls FROM exchanges WHERE notEmpty(arg_keys) GROUP BY arg_keys",
    );
    // Seven calls in sessions and the one that the guardrail refused have one text each.
    expect(rows).toEqual([{ arg_keys: ["text"], shapes: 1, calls: 8 }]);
    expect(JSON.stringify(await traffic.sql("SELECT * FROM exchanges"))).not.toContain("forbidden");
  });

  test("who an agent is: the key and the client's own name", async () => {
    // The key of notes; those of wiki, of narrow and of the reader; and what came without one.
    const keys = await ask("top-consumers?by=key");
    expect(keys.map(({ requests }) => requests)).toEqual([19, 4, 2, 1, 1]);
    expect(counted(await ask("audience?client=agent"), "requests", "consumers")).toEqual([[5, 2]]);
  });
});
