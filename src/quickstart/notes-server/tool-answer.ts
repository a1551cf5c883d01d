import type { CallToolResult } from "@modelcontextprotocol/server";
import { GatewayError } from "../../kernel/errors.ts";

/**
 * A tool's result from what `work` gives: the object as structured content, and as text for clients that know no other.
 * A refusal becomes an error that the model can read and act on; a fault of ours says no more than that there was one.
 */
export async function toolAnswer(
  work: () => Promise<Record<string, unknown>>,
  report: (error: unknown) => void,
): Promise<CallToolResult> {
  try {
    const value = await work();
    return { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value };
  } catch (error) {
    return { content: [{ type: "text", text: sayable(error, report) }], isError: true };
  }
}

/** What a caller may be told of a fault. */
export function sayable(error: unknown, report: (error: unknown) => void): string {
  if (!(error instanceof GatewayError) || error.cause !== undefined) report(error);
  return error instanceof GatewayError ? error.message : "The notes server failed to handle this.";
}
