import type { DataPaths } from "../store/data-directory.ts";
import { analyticsLines } from "./print-analytics.ts";
import { governanceLines } from "./print-governance.ts";
import type { PastePlace } from "./print-llm.ts";
import { llmLines } from "./print-llm.ts";
import { mcpLines } from "./print-mcp.ts";
import { tokenLines } from "./print-token.ts";
import type { QuickstartApi, QuickstartFacts } from "./quickstart-file.ts";

export type { PastePlace } from "./print-llm.ts";

/**
 * What a newcomer is told: where everything is, the API keys, and lines to paste that work as they stand. The admin
 * token is not among them, only where it is.
 */
export function printQuickstart(
  facts: QuickstartFacts,
  paths: DataPaths,
  place: PastePlace,
  { hasAnalytics }: { readonly hasAnalytics: boolean },
): readonly string[] {
  return [
    "",
    `Control plane  ${facts.controlUrl}`,
    `Gateway        ${facts.gatewayUrl}`,
    `Admin token    in ${paths.adminTokenPath}`,
    ...facts.apis.map(({ name, kind, apiKey }) => `API key        ${apiKey}  (${kindTitle(kind)} ${name})`),
    `All of this    in ${paths.quickstartPath}`,
    ...facts.apis.flatMap((api) => linesFor(api, place)),
    ...(facts.client === undefined ? [] : tokenLines(facts.client, facts.apis)),
    ...governanceLines(facts.apis, paths, place),
    ...(hasAnalytics ? analyticsLines(paths, place) : []),
    "",
  ];
}

function kindTitle(kind: string): string {
  return kind === "McpServer" ? "MCP server" : "LLM API";
}

function linesFor(api: QuickstartApi, place: PastePlace): readonly string[] {
  if (api.kind === "McpServer") return mcpLines(api);
  return api.model === undefined ? [] : llmLines(api, api.model, place);
}
