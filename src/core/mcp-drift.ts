import type { Environment } from "./environment.ts";
import type { DefinitionChange, PinKind } from "./mcp-definition.ts";

/** An MCP server says something of what it offers that nobody has approved: for governance to judge. */
export interface McpDrift {
  readonly apiId: string;
  readonly server: string;
  readonly teamId: string;
  readonly environment: Environment;
  readonly kind: PinKind;
  readonly name: string;
  /** Null where nothing of that name was ever approved: also after a tool was renamed. */
  readonly approvedHash: string | null;
  readonly seenHash: string;
  /** Member by member, at most 200. */
  readonly changes: readonly DefinitionChange[];
}
