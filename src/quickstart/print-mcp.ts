import type { McpClientConfig, McpClientName } from "../core/mcp-client-config.ts";
import { mcpClientConfig } from "../core/mcp-client-config.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { metaKeys, modernVersions } from "../mcp/wire/modern.ts";
import type { QuickstartApi } from "./quickstart-file.ts";
import { workspaceName } from "./quickstart-workspace.ts";
import { shellQuoted } from "./shell-quoted.ts";

/**
 * Lines to paste for an MCP server: `tools/list` and `tools/call` by curl, in the protocol's stateless form, which needs
 * no session; then what goes into the configuration of four agents.
 */
export function mcpLines(api: QuickstartApi): readonly string[] {
  if (api.name === workspaceName) return workspaceLines(api);
  const note = { name: "notes_add", arguments: { title: "Hello", text: "My first note, through the gateway." } };
  return [
    "",
    `# ${api.name}: the tools of the MCP server`,
    curl(api, "tools/list", {}),
    "",
    `# ${api.name}: a call of one`,
    curl(api, "tools/call", note),
    "",
    ...agentLines(api),
  ];
}

/** Of the virtual server, whose tools are those of two servers; agents are configured for it as for any. */
function workspaceLines(api: QuickstartApi): readonly string[] {
  return [
    "",
    `# ${api.name}: one door to two servers, notes and a REST API that its OpenAPI description has made tools of`,
    curl(api, "tools/list", {}),
    "",
    `# ${api.name}: a call that becomes a GET of the REST API`,
    curl(api, "tools/call", { name: "books_find_books", arguments: { words: "austen" } }),
  ];
}

function agentLines({ name, url, apiKey }: QuickstartApi): readonly string[] {
  const of = (client: McpClientName): McpClientConfig =>
    mcpClientConfig(client, { name, url, credential: { key: apiKey } });
  const lines = (what: string, { text, format }: McpClientConfig): readonly string[] => [
    `${name} in ${what}:`,
    ...(format === "json" ? [JSON.stringify(parseJson(text))] : text.split("\n")),
  ];
  const named = (config: McpClientConfig): string => `${config.title} (${config.file})`;
  const [claude, vscode, codex] = [of("claude-code"), of("vscode"), of("codex")];
  return [
    ...lines(`${named(claude)} and ${named(of("cursor"))}`, claude), // with a key in them, both are the same
    ...lines(named(vscode), vscode),
    ...lines(named(codex), codex),
  ];
}

function curl(
  api: QuickstartApi,
  method: string,
  params: { readonly name?: string; readonly arguments?: object },
): string {
  const [version] = modernVersions;
  const headers = [
    `authorization: Bearer ${api.apiKey}`,
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    `mcp-protocol-version: ${version}`,
    `mcp-method: ${method}`,
    ...(params.name === undefined ? [] : [`mcp-name: ${params.name}`]),
  ];
  const meta = { [metaKeys.protocolVersion]: version, "io.modelcontextprotocol/clientCapabilities": {} };
  const body = { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: meta } };
  const shown = headers.map((header) => `-H ${shellQuoted(header)}`).join(" ");
  return `curl -sS ${shellQuoted(api.url)} ${shown} -d ${shellQuoted(JSON.stringify(body))}`;
}
