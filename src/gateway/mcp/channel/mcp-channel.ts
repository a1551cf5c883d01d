import type { GatewayError } from "../../../kernel/errors.ts";
import type { McpContext, McpObject } from "../../../mcp/backend.ts";
import type { JsonRpcMessage } from "../../../mcp/wire/json-rpc.ts";

/**
 * A way of messages in both directions to one run of an MCP server: the pipes of a process, or an event stream and the
 * POSTs beside it. Which message belongs to which is for its user to say.
 */
export interface McpChannel {
  /** Hands one message over, for whoever it is. Rejects with `upstream.…` where it cannot be. */
  send(message: McpObject, context: McpContext | undefined): Promise<void>;
  /** Who hears the server's messages, in order. Called once, before the first `send`; what came earlier is told then. */
  hear(onMessage: (message: JsonRpcMessage) => void): void;
  /** Resolves, and never rejects, with the reason when no more can come. */
  readonly closed: Promise<GatewayError>;
  /** Lets go of the server. Harmless twice. */
  close(): void;
}
