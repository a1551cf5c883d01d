import type { Environment } from "./environment.ts";
import type { McpDefinition, PinKind } from "./mcp-definition.ts";

/** The part of the catalog that holds what was approved of MCP servers' definitions, and what was seen last. */
export interface McpPinTables {
  readonly mcpPins: McpPinTable;
}

export interface McpPinRow {
  /** Made of the other four: equal things have equal ids. */
  readonly id: string;
  readonly apiId: string;
  readonly environment: Environment;
  readonly kind: PinKind;
  /** A tool's or prompt's name, a URI. */
  readonly name: string;
  /** Null for what nobody has approved yet. */
  readonly approvedHash: string | null;
  readonly approved: McpDefinition | null;
  readonly seenHash: string;
  readonly seen: McpDefinition;
  readonly seenAtMs: number;
}

export interface McpPinTable {
  /** Inserts or replaces. */
  put(row: McpPinRow): Promise<void>;
  find(id: string): Promise<McpPinRow | undefined>;
  /** In the order of environment, kind and name. */
  ofApi(apiId: string): Promise<readonly McpPinRow[]>;
  all(): Promise<readonly McpPinRow[]>;
}
