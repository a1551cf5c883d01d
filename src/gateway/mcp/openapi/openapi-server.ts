import type { McpBackend, McpCall, McpContext, McpObject, McpReply } from "../../../mcp/backend.ts";
import type { ListCursors } from "../../../mcp/federation/list-cursors.ts";
import type { ToolRequest } from "../../../mcp/openapi/compile-operation.ts";
import type { RequestPlan } from "../../../mcp/openapi/openapi-tool.ts";
import type { SchemaFault } from "../../../mcp/openapi/schema-check.ts";
import type { ToolAnswer } from "../../../mcp/openapi/tool-result.ts";
import { httpMeta } from "../../../mcp/openapi/tool-result.ts";
import { jsonRpcCodes } from "../../../mcp/wire/json-rpc.ts";
import { modernVersions } from "../../../mcp/wire/modern.ts";
import type { ServedTools } from "./served-tools.ts";

export interface OpenApiServerParts {
  readonly serverInfo: McpObject;
  readonly instructions: string | undefined;
  readonly tools: ServedTools;
  readonly pageSize: number;
  readonly cursors: ListCursors;
  /** Sends a request with the gateway's own credentials, or through the API that it belongs to. Rejects with `upstream.…` where no answer came. */
  send(request: ToolRequest, context: McpContext, plan: RequestPlan): Promise<ToolAnswer>;
}

/** An MCP server whose tools are requests to a service: of no era, and with nothing but tools. */
export function createOpenApiServer(parts: OpenApiServerParts): McpBackend {
  const { serverInfo, instructions } = parts;
  return {
    facts: async () => ({ serverInfo, capabilities: { tools: {} }, instructions, versions: modernVersions }),
    async request(call, context) {
      if (call.method === "tools/list") return listTools(parts, call, context);
      if (call.method === "tools/call") return callTool(parts, call, context);
      if (call.method === "logging/setLevel") return { result: {} };
      return fault(jsonRpcCodes.methodNotFound, "Method not found");
    },
    notify: async () => {},
    hintsOf: (tool) => parts.tools.hintsOf(tool),
    async listen(_filter, { cancellation }) {
      // What it offers changes with a publication only, which makes another server of it.
      const { promise: ended, resolve } = Promise.withResolvers<undefined>();
      const close = (): void => resolve(undefined);
      if (cancellation.isCancelled) close();
      else cancellation.listen({ onCancel: close });
      return { accepted: {}, ended, close };
    },
    dispose() {},
  };
}

const list = "tools";

async function listTools(
  { tools, pageSize, cursors }: OpenApiServerParts,
  { params }: McpCall,
  context: McpContext,
): Promise<McpReply> {
  const { cursor } = params;
  const place = typeof cursor === "string" ? cursors.open(cursor, list, context.owner) : undefined;
  if (cursor !== undefined && place === undefined) {
    return fault(jsonRpcCodes.invalidParams, "The cursor is not one of this list; begin again without it.");
  }
  const from = place === undefined ? 0 : place.index + 1;
  const { tools: shown, next: following } = await tools.page(from, pageSize, context.cancellation);
  const after = shown.at(-1)?.name ?? "";
  const next = following === undefined ? undefined : cursors.seal({ list, index: following - 1, after }, context.owner);
  return { result: { tools: shown, ...(next !== undefined && { nextCursor: next }) } };
}

async function callTool(
  { tools, send }: OpenApiServerParts,
  { params }: McpCall,
  context: McpContext,
): Promise<McpReply> {
  const { name, arguments: args } = params;
  const tool = typeof name === "string" ? tools.find(name) : undefined;
  if (tool === undefined) return fault(jsonRpcCodes.invalidParams, `Tool ${String(name)} not found`);
  const asked = tool.operation.toHttpRequest(args);
  if ("faults" in asked) return { result: refusedArguments(asked.faults) };
  const answer = await send(asked.request, context, tool.plan);
  const result = tool.operation.toToolResult(answer);
  return { result: { ...result, _meta: { [httpMeta]: { status: answer.status } } } };
}

const mostFaults = 20;

/** For the model to mend: a result and no error of the protocol (2025-11-25, server/tools, "Error handling"). */
function refusedArguments(faults: readonly SchemaFault[]): McpObject {
  const lines = faults.slice(0, mostFaults).map(({ path, message }) => `${path} ${message}`.trim());
  const text = ["The arguments do not fit; nothing was sent.", ...lines].join("\n");
  return { content: [{ type: "text", text }], isError: true };
}

function fault(code: number, message: string): McpReply {
  return { error: { code, message } };
}
