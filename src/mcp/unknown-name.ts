import type { McpReply } from "./backend.ts";
import { jsonRpcCodes } from "./wire/json-rpc.ts";

/** The answer for what is not there, and for what this caller is not offered: the two are told in the same words. */
export function unknownName(what: "Tool" | "Prompt" | "Resource" | "Task", name: string): McpReply {
  const error = { code: jsonRpcCodes.invalidParams, message: `${what} ${name} not found` };
  return { error: what === "Resource" ? { ...error, data: { uri: name } } : error };
}
