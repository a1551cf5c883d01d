/** Hints of a tool, as MCP has them; what is absent is what the protocol takes for granted. */
export interface ToolAnnotations {
  readonly title?: string;
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
  readonly idempotentHint?: boolean;
  readonly openWorldHint?: boolean;
}

/**
 * What a method promises (RFC 9110, sections 9.2.1 and 9.2.2). Of POST and PATCH nobody knows whether they destroy, so
 * nothing is said, which clients take for yes.
 */
export function annotationsOf(method: string): ToolAnnotations {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
      return { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true };
    case "PUT":
      return { readOnlyHint: false, idempotentHint: true, openWorldHint: true };
    case "DELETE":
      return { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true };
    default:
      return { readOnlyHint: false, idempotentHint: false, openWorldHint: true };
  }
}
