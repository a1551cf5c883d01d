import type { IncomingHttpHeaders } from "node:http";
import type { McpLimits } from "../../core/mcp-limits.ts";
import type { JsonRpcNotification, JsonRpcRequest } from "../../mcp/wire/json-rpc.ts";
import type { MessageTarget } from "../../mcp/wire/message-target.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { refuseOver } from "./over-limit.ts";

/** Why a request is refused for its headers; undefined when they are within the limit. */
export function boundHeaders(headers: IncomingHttpHeaders, limits: McpLimits): Deny | undefined {
  let length = 0;
  for (const name in headers) length += name.length + (headers[name]?.length ?? 0);
  if (length <= limits.headerBytes) return undefined;
  return refuseOver(
    { code: "request.headers_too_large", what: "The headers are too large", limit: "headerBytes" },
    limits,
  );
}

/**
 * Why a message is refused for the size of one of its parts; undefined when all are within the limits. What is smaller
 * as a whole than a part may be is not looked into.
 */
export function boundMessage(
  message: JsonRpcRequest | JsonRpcNotification,
  bodyBytes: number,
  { names }: MessageTarget,
  limits: McpLimits,
): Deny | undefined {
  const id = message.type === "request" ? message.id : undefined;
  const { cursor, _meta: meta } = message.params;
  if (typeof cursor === "string" && cursor.length > limits.cursorLength) {
    return refuseOver(
      { code: "mcp.invalid_params", what: "The cursor is too long", limit: "cursorLength" },
      limits,
      id,
    );
  }
  if (names.some((name) => name.length > limits.nameLength)) {
    const what = "The name or URI that the request is for is too long";
    return refuseOver({ code: "mcp.invalid_params", what, limit: "nameLength" }, limits, id);
  }
  if (bodyBytes > limits.metaBytes && Buffer.byteLength(JSON.stringify(meta ?? null)) > limits.metaBytes) {
    return refuseOver(
      { code: "request.too_large", what: "The request's `_meta` is too large", limit: "metaBytes" },
      limits,
      id,
    );
  }
  return undefined;
}
