import { z } from "zod";
import { parseJson } from "../../src/kernel/parse-json.ts";
import type { Era, PublishedServer } from "../gateway/mcp/published-server.ts";
import { answering, keyFor, publishServer, textResult, toolCall } from "../gateway/mcp/published-server.ts";
import type { TestGatehouse } from "../kit/gatehouse.ts";
import { startTestGatehouse } from "../kit/gatehouse.ts";
import type { MockUpstream, Respond } from "../kit/mock-upstream.ts";
import { events, json, startMockUpstream } from "../kit/mock-upstream.ts";
import type { RawAnswer } from "../kit/raw-http.ts";

/** A whole gateway with its store, and MCP servers at it that do as their tools' names say. */
export interface McpTraffic extends AsyncDisposable {
  readonly gatehouse: TestGatehouse;
  readonly upstream: MockUpstream;
  /** With a guardrail against `forbidden`, which takes `secret` out. */
  readonly notes: PublishedServer;
  readonly wiki: PublishedServer;
  /** Lets one request through. */
  readonly narrow: PublishedServer;
  /** Carries what was recorded to the store. */
  settle(): Promise<void>;
  /** The rows of a question, of the last day. */
  ask(path: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The rows of a statement, by column. */
  sql(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Starts it; nothing was asked of it yet. Without a store its rows stay in the spool. */
export async function startMcpTraffic(mode: "embedded" | "off" = "embedded"): Promise<McpTraffic> {
  const upstream = await startMockUpstream(farServer());
  const gatehouse = await startTestGatehouse({ "analytics.mode": mode });
  const address = `${upstream.url}/mcp`;
  const patterns = [
    { pattern: "forbidden", action: "deny" },
    { pattern: "secret", action: "redact", replacement: "x" },
  ];
  const notes = await publishServer(gatehouse, "notes", address, { policies: [{ use: "regex", with: { patterns } }] });
  const wiki = await publishServer(gatehouse, "wiki", address);
  const limit = { use: "rate-limit", with: { requests: 1, windowMs: 2_000_000_000 } };
  const narrow = await publishServer(gatehouse, "narrow", address, { policies: [limit] });
  const call = async (path: string, body?: object): Promise<unknown> => {
    const { controlUrl, adminToken } = gatehouse.running;
    const response = await fetch(`${controlUrl}/api/v1/analytics/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path}: ${text}`);
    return body === undefined
      ? parseJson(text)
      : text
          .split("\n")
          .filter(Boolean)
          .map((line) => parseJson(line));
  };
  return {
    gatehouse,
    upstream,
    notes,
    wiki,
    narrow,
    async settle() {
      await gatehouse.running.spool.flush();
      await gatehouse.running.analytics.catchUp();
    },
    ask: async (path) => z.looseObject({ items: rowsSchema }).parse(await call(path)).items,
    sql: async (query) => rowsSchema.parse(await call("sql", { query, format: "ndjson" })),
    async [Symbol.asyncDispose]() {
      await gatehouse[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

const rowsSchema = z.array(z.record(z.string(), z.unknown()));

/** Begins a session of a client, and answers the headers of its further messages. */
export async function begin(
  server: PublishedServer,
  clientInfo: { readonly name: string; readonly version: string },
): Promise<Record<string, string>> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const answer = await server.post({ jsonrpc: "2.0", id: 0, method: "initialize", params });
  return { "mcp-session-id": String(answer.headers["mcp-session-id"]) };
}

/** A call of a tool by a client of the newest protocol, which names itself in each message. */
export function modernCall(name: string, args: object = {}, client = { name: "agent", version: "3" }): object {
  const call = toolCall("modern", 1, name, args) as { params: { _meta: object } }; // as it is made
  const _meta = { ...call.params._meta, "io.modelcontextprotocol/clientInfo": client };
  return { ...call, params: { ...call.params, _meta } };
}

/** Any message with an id. */
export function message(method: string, params: object = {}): object {
  return { jsonrpc: "2.0", id: 1, method, params };
}

/** One message for each kind of error; each answers what the client got. */
export async function fail(
  { gatehouse, notes, narrow }: McpTraffic,
  era: Era = "legacy",
): Promise<Readonly<Record<string, RawAnswer>>> {
  const post = (name: string, args: object = {}, key?: string | null) =>
    notes.post(toolCall(era, 1, name, args), { era, ...(key !== undefined && { key }) });
  const reader = await keyFor(gatehouse, "notes", { allow: ["read_*"] });
  return {
    parse: await post("code-32700"),
    parseHere: await notes.post("{"),
    invalidRequest: await post("code-32600"),
    invalidRequestHere: await notes.post({ jsonrpc: "1.0", id: 1, method: "tools/call" }),
    methodNotFound: await post("code-32601"),
    invalidParams: await post("code-32602"),
    internal: await post("code-32603"),
    server: await post("code-32050"),
    toolError: await post("fails"),
    other: await post("code7"),
    auth: await post("search", {}, null),
    notAllowed: await post("write", {}, reader),
    guardrail: await post("search", { text: "forbidden" }),
    upstream: await post("breaks"),
    letThrough: await narrow.post(toolCall(era, 1, "search"), { era }),
    throttled: await narrow.post(toolCall(era, 1, "search"), { era }),
  };
}

/** A server of sessions: `code-32603` is answered by that error, `fails` by a tool's own, `breaks` by nothing. */
function farServer(): Respond {
  const session = { "mcp-session-id": "far-session" };
  const serverInfo = { name: "far", version: "9" };
  return (request, response) => {
    const { id, method, params = {} } = rpcSchema.parse(parseJson(String(request.body)));
    const result = (value: object) => json(200, { jsonrpc: "2.0", id, result: value }, session)(request, response);
    const name = params.name ?? "";
    const code = /^code(-?\d+)$/.exec(name)?.[1];
    const stamp = { "io.modelcontextprotocol/serverInfo": serverInfo };
    if (id === undefined) return void response.writeHead(202).end();
    if (method === "initialize") return result({ protocolVersion: "2025-11-25", capabilities: {}, serverInfo });
    if (method === "resources/read") return result({ contents: [], ttlMs: 500, cacheScope: "public" });
    if (method === "tools/list") return result({ tools, _meta: stamp });
    if (name === "breaks") return void response.destroy();
    if (code !== undefined) {
      return json(200, { jsonrpc: "2.0", id, error: { code: Number(code), message: "no" } })(request, response);
    }
    if (name === "fails") return json(200, textResult(id, "no", { isError: true }))(request, response);
    if (name === "task") return result({ task: { taskId: "t-1" } });
    if (name === "streams") return events(streamed(id))(request, response);
    if (name === "structured") {
      return json(200, textResult(id, "x", { structuredContent: { a: 1 }, _meta: stamp }))(request, response);
    }
    return answering("ok")(request, response);
  };
}

const tools = ["read_a", "read_b", "write"].map((name) => ({ name, description: `To ${name}.`, inputSchema: {} }));
const rpcSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z.looseObject({ name: z.string().optional() }).optional(),
});

function streamed(id: string | number): string[] {
  const progress = { method: "notifications/progress", params: { progressToken: 1, progress: 1 } };
  const told = { method: "notifications/message", params: {} };
  const asked = { id: 77, method: "sampling/createMessage", params: {} };
  const own = [progress, told, asked].map((each) => ({ jsonrpc: "2.0", ...each }));
  return [...own, textResult(id, "ok")].map((each) => `event: message\ndata: ${JSON.stringify(each)}\n\n`);
}
