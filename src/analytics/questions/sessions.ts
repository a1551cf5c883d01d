import { z } from "zod";
import { defineQuestion, moneySchema } from "./define-question.ts";
import { isFailure } from "./error-kinds.ts";

/** Sessions of MCP clients. */
export const sessions = defineQuestion({
  id: "sessions",
  title: "Sessions",
  description: "Sessions of MCP clients, the last that was used first. A session is known by the hash of its id.",
  component: "McpSession",
  row: {
    session: z.string(),
    apiId: z.string(),
    apiName: z.string(),
    clientName: z.string().nullable(),
    clientVersion: z.string().nullable(),
    serverName: z.string().nullable(),
    protocolVersion: z.string().nullable(),
    applicationId: z.string().nullable(),
    keyId: z.string().nullable(),
    firstAt: z.iso.datetime(),
    lastAt: z.iso.datetime(),
    messages: z.int(),
    toolCalls: z.int(),
    tools: z.int().meta({ description: "Different ones." }),
    errors: z.int(),
    inputTokens: z.int(),
    outputTokens: z.int(),
    cost: moneySchema,
  },
  // What only the handshake tells is joined to all messages of the session here.
  sql: ({ where }) => `SELECT session_id_hash AS session, api_id AS apiId, any(api_name) AS apiName,
  nullIf(anyIf(client_name, client_name != ''), '') AS clientName, nullIf(anyIf(client_version, client_version != ''), '') AS clientVersion,
  nullIf(anyIf(server_name, server_name != ''), '') AS serverName,
  nullIf(anyIf(mcp_protocol_version, mcp_protocol_version != ''), '') AS protocolVersion,
  nullIf(any(application_id), '') AS applicationId, nullIf(any(key_id), '') AS keyId, min(ts) AS firstAt, max(ts) AS lastAt,
  count() AS messages, countIf(method = 'tools/call') AS toolCalls,
  uniqExactIf(primitive_name, primitive_type = 'tool') AS tools, countIf(${isFailure}) AS errors,
  sum(ifNull(input_tokens, 0)) AS inputTokens, sum(ifNull(output_tokens, 0)) AS outputTokens, sum(cost) AS cost
FROM {db}.exchanges WHERE ${where} AND session_id_hash != ''
GROUP BY session_id_hash, api_id ORDER BY lastAt DESC, session, apiId`,
});
