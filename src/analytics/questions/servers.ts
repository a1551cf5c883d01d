import { z } from "zod";
import { defineQuestion, millisecondsSchema } from "./define-question.ts";
import { isFailure } from "./error-kinds.ts";

/** MCP servers behind the gateway. */
export const servers = defineQuestion({
  id: "servers",
  title: "Servers",
  description:
    "MCP servers by API, with the part of a virtual server that had the call, and what they call themselves.",
  component: "ServerUse",
  row: {
    apiId: z.string(),
    apiName: z.string(),
    member: z.string().nullable().meta({ description: "Of a virtual server: which of its parts." }),
    serverName: z.string().nullable(),
    serverVersion: z.string().nullable(),
    requests: z.int(),
    toolCalls: z.int(),
    errors: z.int(),
    p50: millisecondsSchema,
    p95: millisecondsSchema,
  },
  sql: ({ where }) => `SELECT api_id AS apiId, any(api_name) AS apiName, nullIf(toString(member), '') AS member,
  nullIf(toString(server_name), '') AS serverName, nullIf(toString(server_version), '') AS serverVersion, count() AS requests,
  countIf(method = 'tools/call') AS toolCalls, countIf(${isFailure}) AS errors,
  round(quantileTDigest(0.5)(duration_ms), 3) AS p50, round(quantileTDigest(0.95)(duration_ms), 3) AS p95
FROM {db}.exchanges WHERE ${where} AND api_kind = 'McpServer'
GROUP BY api_id, member, serverName, serverVersion ORDER BY requests DESC, apiId, member, serverName, serverVersion`,
});
