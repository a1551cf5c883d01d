import { packagedRulesets } from "../../governance/spectral/ruleset-names.ts";

/** What documents that are no resources are held against, by what they are. */
export const descriptionRulesets: Readonly<Record<"openapi" | "asyncapi" | "arazzo", readonly string[]>> = {
  openapi: builtIn("spectral:oas", "gatehouse:rest"),
  asyncapi: builtIn("spectral:asyncapi", "gatehouse:asyncapi"),
  arazzo: builtIn("spectral:arazzo"),
};

/** What live MCP servers are held against. */
export const serverRulesets = builtIn("gatehouse:mcp", "gatehouse:mcp-safety");

/** What a resource of a kind is held against, beside the description in it. */
export function resourceRulesets(kind: string): readonly string[] {
  return kind in byKind ? (byKind[kind] ?? []) : [];
}

const byKind: Readonly<Record<string, readonly string[]>> = {
  McpServer: serverRulesets,
  LlmApi: builtIn("gatehouse:llm"),
  LlmProvider: builtIn("gatehouse:llm"),
  RestApi: builtIn("gatehouse:api-management"),
  AsyncApi: builtIn("gatehouse:api-management"),
};

/** Whether a built-in ruleset looks at descriptions of APIs rather than at resources. */
export function isForDefinitions(name: string): boolean {
  return !Object.values(byKind).flat().includes(name);
}

/** Those of the names that this build has. */
function builtIn(...names: readonly string[]): readonly string[] {
  return names.filter((name) => packagedRulesets.includes(name));
}
