import { partialKey } from "../../mcp/federation/virtual-server.ts";
import type { JsonRpcMessage } from "../../mcp/wire/json-rpc.ts";
import { isObject } from "../../mcp/wire/json-rpc.ts";
import { metaKeys } from "../../mcp/wire/modern.ts";
import type { Operation } from "../../pipeline/exchange.ts";
import { mcpRequest } from "./mcp-request.ts";

/** Notes what a message on the way back tells about the operation, for its row: never a value of an argument or result. */
export function noteMessage(operation: Operation, message: JsonRpcMessage): void {
  const { seen } = mcpRequest(operation);
  if (message.type === "request") seen.serverRequests += 1;
  if (message.type === "notification") {
    seen.serverNotifications += 1;
    if (message.method === "notifications/progress") seen.progressCount += 1;
    return;
  }
  if (message.type !== "response") return;
  if (message.error !== undefined) {
    seen.errorCode = message.error.code;
    seen.resultType = "error";
    return;
  }
  const result = message.result ?? {};
  seen.isError = result["isError"] === true;
  seen.resultType = typeof result["resultType"] === "string" ? result["resultType"] : "complete";
  seen.structured = result["structuredContent"] !== undefined;
  const { content } = result;
  if (Array.isArray(content)) seen.contentTypes = [...new Set(content.map(typeOf))].slice(0, 10);
  const list = result["tools"] ?? result["prompts"] ?? result["resources"] ?? result["resourceTemplates"];
  if (Array.isArray(list)) seen.listTotal = list.length;
  if (Array.isArray(result["tools"])) seen.toolsAfterAuthz = result["tools"].length; // unless some are taken out later
  seen.protocolVersion = shortText(result["protocolVersion"]);
  seen.taskId = taskIdOf(result);
  seen.cacheScope = shortText(result["cacheScope"]);
  if (typeof result["ttlMs"] === "number") seen.ttlMs = result["ttlMs"];
  const meta = result["_meta"];
  const partial = isObject(meta) ? meta[partialKey] : undefined;
  if (Array.isArray(partial) && partial.length > 0) seen.membersMissing = shortText(partial.join(", "));
  const server = result["serverInfo"] ?? (isObject(meta) ? meta[metaKeys.serverInfo] : undefined);
  if (isObject(server)) {
    seen.serverName = shortText(server["name"]);
    seen.serverVersion = shortText(server["version"]);
  }
}

function typeOf(block: unknown): string {
  return (isObject(block) ? shortText(block["type"]) : undefined) ?? "unknown";
}

/** The task that a message tells of, or belongs to. */
export function taskIdOf(value: Readonly<Record<string, unknown>>): string | undefined {
  const { task, taskId, _meta: meta } = value;
  const related = isObject(meta) ? meta["io.modelcontextprotocol/related-task"] : undefined;
  const found =
    taskId ?? (isObject(task) ? task["taskId"] : undefined) ?? (isObject(related) ? related["taskId"] : undefined);
  return typeof found === "string" ? found : undefined;
}

/** At most 128 characters of a text; undefined for anything else. */
export function shortText(value: unknown): string | undefined {
  return typeof value === "string" ? value.slice(0, 128) : undefined;
}
