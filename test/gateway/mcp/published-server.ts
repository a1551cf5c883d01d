import type { TestGatehouse } from "../../kit/gatehouse.ts";
import type { Respond, SeenRequest } from "../../kit/mock-upstream.ts";
import { json } from "../../kit/mock-upstream.ts";
import type { RawAnswer } from "../../kit/raw-http.ts";
import { rawHttp } from "../../kit/raw-http.ts";

/** An MCP server as its callers reach it. */
export interface PublishedServer {
  readonly url: string;
  readonly key: string;
  /** POSTs a message, or a body as it stands; `headers` come on top of what a client of that era sends. */
  post(message: object | string | Buffer, options?: PostOptions): Promise<RawAnswer>;
}

export interface PostOptions {
  readonly era?: Era;
  readonly key?: string | null;
  readonly headers?: Record<string, string | string[]>;
}

export type Era = "legacy" | "modern";

/** The JSON-RPC response in an answer. */
export interface RpcAnswer {
  readonly id: number | string | null;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Readonly<Record<string, unknown>>;
  };
}

/** Reads it; what it is, the test says. */
export function rpcOf(answer: RawAnswer): RpcAnswer {
  return answer.json() as RpcAnswer; // the tests look at every member that they use
}

/** Publishes an MCP server at `/{name}` in front of `url`, with a key for it. */
export async function publishServer(
  gatehouse: TestGatehouse,
  name: string,
  url: string,
  spec: { readonly upstream?: object; readonly [member: string]: unknown } = {},
): Promise<PublishedServer> {
  const { upstream: more = {}, ...rest } = spec;
  const upstream = { production: { url, ...more }, sandbox: { sameAs: "production" } };
  await gatehouse.put("McpServer", name, { context: `/${name}`, upstream, ...rest });
  const key = await keyFor(gatehouse, name);
  return serverAt(`${gatehouse.running.gatewayUrl}/${name}/mcp`, key);
}

/** A server that is published already, for callers with that key. */
export function serverAt(url: string, key: string): PublishedServer {
  return {
    url,
    key,
    post(message, { era = "legacy", key: other = key, headers = {} } = {}) {
      const all = {
        ...headersFor(message, era),
        ...(other !== null && { authorization: `Bearer ${other}` }),
        ...headers,
      };
      const body = typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message);
      return rawHttp(url, { headers: all, body });
    },
  };
}

/** A further key for a published server. */
export function keyFor(gatehouse: TestGatehouse, name: string, bounds: object = {}): Promise<string> {
  return gatehouse.key(name, { api: { kind: "McpServer", name }, ...bounds });
}

export const modernVersion = "2026-07-28";

/** A `tools/call` of that era. */
export function toolCall(era: Era, id: number | string, name: string, args: object = {}): object {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": modernVersion,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { name, arguments: args, ...(era === "modern" && { _meta: meta }) };
  return { jsonrpc: "2.0", id, method: "tools/call", params };
}

function headersFor(message: object | string | Buffer, era: Era): Record<string, string> {
  const common = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  if (era === "legacy") return { ...common, "mcp-protocol-version": "2025-11-25" };
  const { method = "", params = {} } = message as { method?: string; params?: { name?: string; uri?: string } }; // tests write whole messages
  const name = params.name ?? params.uri;
  return {
    ...common,
    "mcp-protocol-version": modernVersion,
    "mcp-method": method,
    ...(name !== undefined && { "mcp-name": name }),
  };
}

/** The JSON-RPC message that an upstream got. */
export function messageOf(request: SeenRequest | undefined): { id: number | string; params: Record<string, unknown> } {
  return JSON.parse(String(request?.body)) as { id: number | string; params: Record<string, unknown> }; // the gateway sends what it has checked
}

/** A result that names the text, to whatever request comes. */
export function textResult(id: number | string, text: string, more: object = {}): object {
  return { jsonrpc: "2.0", id, result: { content: [{ type: "text", text }], ...more } };
}

/** Answers each request with its own id and that text, as one JSON body. */
export function answering(text: string): Respond {
  return (request, response) => json(200, textResult(messageOf(request).id, text))(request, response);
}

/** One message as a server-sent event. */
export function sse(message: object | string, id?: string): string {
  const data = typeof message === "string" ? message : JSON.stringify(message);
  return `event: message\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`;
}

/** The messages of an event stream's text. */
export function sseMessages(text: string): readonly unknown[] {
  return [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => JSON.parse(data ?? "null") as unknown);
}
