import type { McpLimitName, McpLimits } from "../../core/mcp-limits.ts";
import type { ErrorCode } from "../../kernel/error-codes.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import { deny } from "../../pipeline/outcome.ts";

/** What is past which limit, in the words of `what`: "The request's `_meta` is larger than 65536 bytes". */
export interface OverLimit {
  readonly code: ErrorCode;
  readonly what: string;
  readonly limit: McpLimitName;
}

/** The refusal of a request past a limit: names the limit, and where an operator raises it. */
export function refuseOver(over: OverLimit, limits: Partial<McpLimits>, requestId?: string | number): Deny {
  const { message, data } = told(over, limits);
  return deny(over.code, message, { data, ...(requestId !== undefined && { requestId }) });
}

/** The end of an answer past a limit, in the same words. */
export function overLimit(over: OverLimit, limits: Partial<McpLimits>): GatewayError {
  const { message, data } = told(over, limits);
  return new GatewayError(over.code, message, { data });
}

function told({ what, limit }: OverLimit, limits: Partial<McpLimits>) {
  const place = `spec.limits.${limit}`;
  return {
    message: `${what}. An operator can raise \`${place}\` of this MCP server, which is ${limits[limit]}.`,
    data: { limit: place, value: limits[limit] },
  };
}
