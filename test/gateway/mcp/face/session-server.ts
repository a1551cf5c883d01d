import type { Respond } from "../../../kit/mock-upstream.ts";

/** A message of the gateway's. */
export interface Sent {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly [name: string]: unknown; readonly _meta?: Readonly<Record<string, unknown>> };
}

/** The message in a request; one without a method where it has none. */
export const sentBy = (request: { readonly body: Buffer }): Sent =>
  request.body.length === 0 ? { method: "" } : { method: "", ...(JSON.parse(request.body.toString()) as object) }; // the gateway's own
/** A server of sessions, whose calls `onCall` answers. It refuses what comes without its session. */
export function sessions(onCall: Respond): Respond {
  return (request, response) => {
    const { id, method } = sentBy(request);
    const headers = { "content-type": "application/json", "mcp-session-id": "upstream-session" };
    const isInSession = request.headers["mcp-session-id"] === "upstream-session";
    if (method !== "initialize" && !isInSession) {
      response.writeHead(400, { "content-type": "application/json" });
      response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"No session"}}');
    } else if (method === "initialize") {
      const serverInfo = { name: "old", version: "1" };
      const result = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo };
      response.writeHead(200, headers).end(JSON.stringify({ jsonrpc: "2.0", id, result }));
    } else if (method.startsWith("notifications/") || method === "") response.writeHead(202).end();
    else return onCall(request, response);
    return undefined;
  };
}

/** A result that also tells things in the protocol's name that are not so. */
export const ok: Respond = (request, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  const meta = { "io.modelcontextprotocol/serverInfo": { name: "forged" }, kept: 1 };
  const result = { content: [{ type: "text", text: "fine" }], _meta: meta };
  response.end(JSON.stringify({ jsonrpc: "2.0", id: sentBy(request).id, result }));
};
