import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { loadConfig } from "../../src/config.ts";
import { startGatehouse } from "../../src/main.ts";
import type { Era, PublishedServer } from "../gateway/mcp/published-server.ts";
import { keyFor, publishServer, serverAt, toolCall } from "../gateway/mcp/published-server.ts";
import type { SmallServer } from "../gateway/mcp/virtual/small-server.ts";
import { startSmallServer } from "../gateway/mcp/virtual/small-server.ts";
import { connect, publishVirtual } from "../gateway/mcp/virtual/virtual-kit.ts";
import { describeWithEngine } from "../kit/embedded-clickhouse.ts";
import type { McpTraffic } from "./mcp-traffic.ts";
import { begin, fail, message, modernCall, startMcpTraffic } from "./mcp-traffic.ts";

/** What one would want of a row, and the condition that it is there in a row of `exchanges`. */
const columns: Readonly<Record<string, string>> = {
  ts: "ts > now() - INTERVAL 1 DAY",
  request_id: "exchange_id != operation_id",
  trace_id: "trace_id = repeat('a', 32)",
  span_id: "length(span_id) = 16",
  tenant: "team_id != ''",
  api_id: "startsWith(api_id, 'mcp_')",
  server_id: "api_name = 'notes'",
  virtual_server_id: "startsWith(api_name, 'all-') AND startsWith(member, 'part-')",
  upstream_id: "operation_id IN (SELECT operation_id FROM attempts WHERE target != '')",
  route: "api_revision = 1",
  key_id: "startsWith(key_id, 'key_')",
  app_id: "application_id != ''",
  auth_method: "auth_method = 'api-key'",
  client_name: "client_name IN ('inspector', 'agent')",
  client_version: "client_version IN ('1.2', '3')",
  client_ip: "client_ip = '127.0.0.1'",
  era: "era IN ('legacy', 'modern')",
  protocol_version: "mcp_protocol_version IN ('2025-11-25', '2026-07-28')",
  transport: "transport = 'streamable-http'",
  http_status: "http_status = 502",
  jsonrpc_id: "jsonrpc_id = '1'",
  method: "method = 'tools/call'",
  primitive_type: "primitive_type = 'resource'",
  primitive_name: "primitive_name = 'streams'",
  upstream_primitive_name: "upstream_primitive_name = 'a' AND endsWith(operation_name, '_a')",
  resource_uri_hash: "length(resource_uri_hash) = 16 AND method = 'resources/read'",
  result_type: "result_type IN ('task', 'error')",
  is_error: "is_error",
  error_code: "error_code = 'guardrail.denied'",
  "error_code of JSON-RPC": "jsonrpc_error_code = -32603",
  error_type: "error_type = 'tool_error'",
  stage: "stage = 'upstream'",
  decision: "outcome = 'denied' AND denied_by != ''",
  policy_ids: "arrayExists(each -> endsWith(each.place, '/policies[0]'), decisions)",
  guardrail_name: "arrayExists(each -> each.policy = 'regex', decisions)",
  guardrail_action: "arrayExists(each -> each.action = 'deny', decisions)",
  redactions: "arrayExists(each -> each.action = 'rewrite', decisions)",
  req_bytes: "request_bytes > 50",
  resp_bytes: "response_bytes > 50",
  arg_keys: "arg_keys = ['a', 'b']",
  arg_shape_hash: "length(arg_shape_hash) = 16",
  result_content_types: "has(result_content_types, 'text')",
  structured: "structured",
  events_streamed: "events_streamed = 4",
  progress_count: "progress_count = 1",
  "messages of the server": "server_notifications = 2 AND server_requests = 1",
  tools_total: "tools_total = 3",
  tools_after_authz: "tools_after_authz = 2",
  tools_after_filter: "tools_after_filter = 1",
  filter_mode: "filter_mode = 'rank'",
  filter_top_score: "filter_top_score > 0",
  filter_ms: "filter_ms > 0",
  list_tokens_before: "list_tokens_before > list_tokens_after",
  list_tokens_after: "list_tokens_after > 0",
  cache_scope: "cache_scope = 'public'",
  ttl_ms: "ttl_ms = 500",
  gw_ms: "duration_ms > upstream_ms",
  upstream_ms: "upstream_ms > 0",
  ttfb_ms: "first_byte_ms > 0",
  retries: "attempts = 1",
  task_id_hash: "length(task_id_hash) = 16",
  input_round: "input_round = 1",
  def_hash: "length(def_hash) = 64",
  node: "node != ''",
};
/** Only sessions have these, and sessions only the older protocols. */
const ofSessions: Readonly<Record<string, string>> = {
  session_id_hash: "length(session_id_hash) = 16",
  "server_name in later messages": "server_name = 'far' AND server_version = '9' AND method = 'tools/call'",
};
/** Seen elsewhere: they take a token, a client that leaves, a model. */
const elsewhere = {
  subject: [
    "test/gateway/bad-tokens.test.ts",
    "that holds is told in the row by its client and secret, and of its subject a hash only",
  ],
  scopes: ["test/gateway/mcp/authorization.test.ts", "and with them it is served, and the row has them"],
  cancelled_by: ["test/gateway/mcp/cancelling.test.ts", "of a client that leaves the row says so too"],
  cache: ["test/gateway/llm/semantic-cache.test.ts", "a hit costs nothing, and its row says so"],
  members_missing: [
    "test/gateway/mcp/virtual/dead-member.test.ts",
    "lists what the others have, and says whose part is missing",
  ],
} as const;

/** Sends what fills the columns, as a client of that era. */
async function callEach({ gatehouse, notes, upstream }: McpTraffic, era: Era, small: SmallServer): Promise<void> {
  const legacy = await begin(notes, { name: "inspector", version: "1.2" });
  const traced = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
  const call = (name: string, args: object = {}) =>
    era === "modern" ? modernCall(name, args) : toolCall("legacy", 1, name, args);
  const ask = (method: string, params: object, meta: object = {}): object => {
    const { params: known } = modernCall("x") as { params: { _meta: object } }; // as it is made
    return message(method, { ...params, _meta: { ...(era === "modern" && known._meta), ...meta } });
  };
  const post = (server: PublishedServer, body: object, key = server.key) => {
    const isOwn = era === "legacy" && server === notes && key === server.key; // a session is of one server and one key
    return server.post(body, { era, key, headers: { ...traced, ...(isOwn && legacy) } });
  };
  for (const name of ["streams", "structured", "task"]) await post(notes, call(name, { b: 1, a: "secret" }));
  await post(notes, ask("resources/read", { uri: "file:///a" }));
  await post(
    notes,
    ask("tools/list", {}),
    await keyFor(gatehouse, "notes", { allow: ["read_*"], application: "crew" }),
  );
  const again = call("read_a") as { params: object }; // as it is made
  await post(notes, { ...again, params: { ...again.params, requestState: "s", inputResponses: {} } });
  const address = `${upstream.url}/mcp`;
  const policies = [{ use: "semantic-tool-filter", with: { limit: 1 } }];
  const filtered = await publishServer(gatehouse, `filtered-${era}`, address, { policies });
  await post(filtered, ask("tools/list", {}, { "io.gatehouse/task": "read what a says" }));
  const pinned = await publishServer(gatehouse, `pinned-${era}`, address, { pins: { mode: "quarantine" } });
  await post(pinned, ask("tools/list", {}));
  await post(pinned, call("read_a"));
  await publishServer(gatehouse, `part-${era}`, small.url, { upstream: { era: "modern", health: { probe: "off" } } });
  const servers = [{ server: `part-${era}` }];
  const client = await connect(await publishVirtual(gatehouse, `all-${era}`, { servers }), era);
  await client.callTool({ name: `part-${era}_a`, arguments: {} });
  await client.close();
}

async function callAll(traffic: McpTraffic): Promise<void> {
  await using small = await startSmallServer("small", ["a"]);
  await traffic.gatehouse.put("Application", "crew", {});
  for (const era of ["legacy", "modern"] as const) {
    await callEach(traffic, era, small);
    await fail(traffic, era);
  }
}

describeWithEngine("the rows of MCP messages that have passed a gateway", () => {
  let traffic: McpTraffic;
  beforeAll(async () => {
    traffic = await startMcpTraffic();
    await callAll(traffic);
    await traffic.settle();
  }, 120_000);
  afterAll(() => traffic[Symbol.asyncDispose]());

  test.each(["legacy", "modern"] as const)("fill each column that one would want (%s)", async (era) => {
    const wanted = { ...columns, ...(era === "legacy" && ofSessions) };
    const counts = Object.values(wanted).map((condition, at) => `toString(countIf(${condition})) AS c${at}`);
    const [row = {}] = await traffic.sql(`SELECT ${counts.join(", ")} FROM exchanges WHERE era = '${era}'`);
    expect(Object.keys(wanted).filter((_, at) => row[`c${at}`] === "0")).toEqual([]);
  });

  // The names are WSO2's (API Manager 4.7, `mcpAnalytics`), made from our columns.
  const mcpAnalytics = `SELECT session_id_hash != '' AS sessionId, method AS jsonRpcMethod, upper(primitive_type) AS capability,
    if(primitive_name != '', primitive_name, resource_uri_hash) AS capabilityName,
    (mcp_protocol_version, client_name, client_version) AS clientInfo, (server_name, server_version) AS serverInfo,
    is_error AS isError, toInt32(jsonrpc_error_code) AS errorCode FROM exchanges`;

  test("have what WSO2 tells of a message: of calls, failures, resources, and of a handshake", async () => {
    const one = async (where: string) => (await traffic.sql(`${mcpAnalytics} WHERE ${where} LIMIT 1`))[0];
    const legacy = { clientInfo: ["2025-11-25", "inspector", "1.2"], serverInfo: ["far", "9"] };
    const session = { sessionId: 1, ...legacy };
    expect(await one("api_name = 'notes' AND method = 'initialize' AND era = 'legacy'")).toEqual({
      ...session,
      jsonRpcMethod: "initialize",
      capability: "",
      capabilityName: "",
      isError: false,
      errorCode: null,
    });
    expect(await one("primitive_name = 'structured' AND era = 'legacy'")).toMatchObject({
      ...session,
      jsonRpcMethod: "tools/call",
      capability: "TOOL",
      capabilityName: "structured",
      isError: false,
    });
    expect(await one("primitive_name = 'structured' AND era = 'modern'")).toMatchObject({
      sessionId: 0,
      clientInfo: ["2026-07-28", "agent", "3"],
      serverInfo: ["far", "9"],
    });
    expect(await one("method = 'resources/read' AND era = 'legacy'")).toMatchObject({
      ...session,
      capability: "RESOURCE",
      capabilityName: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(await one("primitive_name = 'code-32603'")).toMatchObject({ isError: true, errorCode: -32_603 });
    expect(await one("primitive_name = 'fails'")).toMatchObject({ isError: true, errorCode: null });
  });

  test("are there of what was refused too, with as much as was known by then", async () => {
    const refused = await traffic.sql(
      `SELECT error_code, denied_by, stage, method, primitive_name, key_id != '' AS isKnown, client_ip, request_bytes > 0 AS isRead,
        attempts FROM exchanges WHERE outcome = 'denied' AND era IN ('legacy', '') AND api_name IN ('notes', 'narrow') ORDER BY ts`,
    );
    const by = (code: string) => refused.find(({ error_code: each }) => each === code);
    const from = { client_ip: "127.0.0.1", attempts: 0 };
    const called = { ...from, method: "tools/call", isKnown: 1, isRead: 1 };
    expect(by("auth.missing_credentials")).toMatchObject({ ...from, stage: "auth", method: "", isKnown: 0, isRead: 0 });
    expect(by("request.malformed_json")).toMatchObject({ ...from, stage: "decode", method: "", isKnown: 1 });
    expect(by("request.not_offered")).toMatchObject({ ...called, stage: "authz", primitive_name: "write" });
    expect(by("guardrail.denied")).toMatchObject({ ...called, stage: "request", denied_by: "regex" });
    expect(by("limit.exceeded")).toMatchObject({ ...called, stage: "admit", denied_by: "rate-limit" });
  });

  test("have no field that no column keeps", async () => {
    await using spooled = await startMcpTraffic("off");
    await callAll(spooled);
    const rows = (await spooled.gatehouse.events()).filter((row) => row.type === "exchange");
    expect(rows.length).toBeGreaterThan(50);
    const tables = z.array(z.looseObject({ name: z.string(), columns: z.array(z.looseObject({ name: z.string() })) }));
    const exchanges = tables.parse(await traffic.ask("tables")).find(({ name }) => name === "exchanges");
    const kept = new Set(exchanges?.columns.map(({ name }) => name));
    const names = new Set(rows.flatMap(({ fields }) => Object.keys(fields)));
    expect([...names].filter((name) => !kept.has(name))).toEqual([]);
  }, 60_000);

  test("name both sides of a session after a restart of the gateway too", async () => {
    const { gatehouse, notes } = traffic;
    const headers = await begin(notes, { name: "patient", version: "7" });
    await traffic.settle();
    await gatehouse.running[Symbol.asyncDispose]();
    const flags = { dataDir: gatehouse.dataDir, port: "0", controlPort: "0", "analytics.mode": "embedded" };
    const config = loadConfig({ flags, env: {}, cwd: gatehouse.dataDir });
    await using again = await startGatehouse(config, { log: gatehouse.log });
    const server = serverAt(`${again.gatewayUrl}/notes/mcp`, notes.key);
    const answer = await server.post(toolCall("legacy", 1, "search"), { headers });
    expect(answer.status).toBe(200);
    await again.spool.flush();
    await again.analytics.catchUp();
    const { controlUrl, adminToken } = again;
    const found = await fetch(`${controlUrl}/api/v1/analytics/sessions?client=patient`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    expect(await found.json()).toMatchObject({
      items: [{ clientName: "patient", clientVersion: "7", serverName: "far", messages: 2, toolCalls: 1 }],
    });
  }, 60_000);
});

test.each(Object.entries(elsewhere))("%s is seen to be filled by a test of its own", (_column, [file, name]) => {
  expect(existsSync(file) && readFileSync(file, "utf8").includes(`"${name}"`)).toBe(true);
});
