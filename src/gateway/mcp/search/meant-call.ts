import { locateJson, spliceBytes } from "../../../kernel/json-scan.ts";
import type { JsonRpcMessage, JsonRpcRequest } from "../../../mcp/wire/json-rpc.ts";
import { isObject } from "../../../mcp/wire/json-rpc.ts";
import type { Deny } from "../../../pipeline/outcome.ts";
import { deny } from "../../../pipeline/outcome.ts";
import type { CompiledApi } from "../../../pipeline/snapshot.ts";
import { callTool, isMetaTool, searchTool } from "./meta-tools.ts";

/** A message, and its bytes. */
export interface MeantCall {
  readonly message: JsonRpcMessage;
  readonly body: Buffer;
  readonly isSearch: boolean;
}

/**
 * What a message means at a server whose tools are searched: a call of `call_tool` is the call that it names, from here on
 * and in every respect, so that whatever holds for that tool holds for it too. The arguments keep their bytes.
 */
export function meantCall(api: CompiledApi, message: JsonRpcMessage, body: Buffer): MeantCall | Deny {
  const plain = { message, body, isSearch: false };
  if (message.type !== "request" || message.method !== "tools/call") return plain;
  const { name, arguments: given } = message.params;
  if (typeof name !== "string" || !isMetaTool(api, name)) return plain;
  if (name === searchTool) return { ...plain, isSearch: true };
  const meant = isObject(given) ? given["name"] : undefined;
  const args = isObject(given) ? (given["arguments"] ?? {}) : {};
  if (typeof meant !== "string" || meant === "") return wrong(message, "`name` must be the name of a tool");
  if (!isObject(args)) return wrong(message, "`arguments` must be an object");
  // A tool that is not there, so that nobody goes in circles.
  if (isMetaTool(api, meant)) return deny("request.not_offered", `Tool ${meant} not found`, { requestId: message.id });
  return {
    message: { ...message, params: { ...message.params, name: meant, arguments: args } },
    body: withCall(body, meant),
    isSearch: false,
  };
}

function wrong({ id }: JsonRpcRequest, why: string): Deny {
  return deny("mcp.invalid_params", `The arguments of ${callTool} are refused: ${why}.`, { requestId: id });
}

function withCall(body: Buffer, name: string): Buffer {
  const nameAt = locateJson(body, ["params", "name"]);
  const outer = locateJson(body, ["params", "arguments"]);
  const inner = locateJson(body, ["params", "arguments", "arguments"]);
  const given = inner === undefined ? noArguments : body.subarray(...inner);
  const replacement = given.equals(nothing) ? noArguments : given;
  return spliceBytes(body, [
    ...(nameAt === undefined ? [] : [{ start: nameAt[0], end: nameAt[1], replacement: JSON.stringify(name) }]),
    ...(outer === undefined ? [] : [{ start: outer[0], end: outer[1], replacement }]),
  ]);
}

const noArguments = Buffer.from("{}");
const nothing = Buffer.from("null");
