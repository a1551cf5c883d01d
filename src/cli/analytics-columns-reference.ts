import { adHocTables } from "../analytics/ad-hoc-reader.ts";

/** The tables of analytics with their columns, as Markdown: `docs/reference/analytics-columns.md`. */
export function printAnalyticsColumns(): string {
  const tables = Object.entries(adHocTables).flatMap(([name, { summary, columns }]) => [
    `## ${name}`,
    "",
    summary,
    "",
    "| column | |",
    "|---|---|",
    ...Object.entries(columns).map(([column, meaning]) => `| \`${column}\` | ${meaning} |`),
    "",
  ]);
  return [
    "# Columns of the analytics tables",
    "",
    "Printed by `gatehouse analytics columns`. A [statement of your own](../guides/analytics-sql.md) may read these tables;",
    "`gatehouse analytics tables` prints them as a store has them, with the types.",
    "",
    ...tables,
    "## mcpAnalytics",
    "",
    "What WSO2's API Manager 4.7 puts into `mcpAnalytics` of its events, by the columns of `exchanges`.",
    "",
    "| WSO2 | here |",
    "|---|---|",
    ...Object.entries(mcpAnalytics).map(([name, columns]) => `| \`${name}\` | ${columns} |`),
    "",
  ].join("\n");
}

const mcpAnalytics: Readonly<Record<string, string>> = {
  sessionId: "`session_id_hash`: never the id itself",
  jsonRpcMethod: "`method`",
  capability: "`primitive_type`, in lower case",
  capabilityName: "`primitive_name`; of resources `resource_uri_hash`, where WSO2 has nothing",
  "clientInfo.requestedProtocolVersion": "`mcp_protocol_version`: the one that both sides speak",
  "clientInfo.name": "`client_name`, in each message of a session and not in `initialize` alone",
  "clientInfo.version": "`client_version`, likewise",
  "serverInfo.name": "`server_name`, likewise",
  "serverInfo.version": "`server_version`, likewise",
  isError: "`is_error`; `tool_error` tells a tool's own error from one of the protocol",
  errorCode: "`jsonrpc_error_code`; the gateway's own code is `error_code`",
};
