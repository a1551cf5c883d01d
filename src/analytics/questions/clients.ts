import { z } from "zod";
import { consumer } from "./audience.ts";
import { defineQuestion } from "./define-question.ts";
import { isFailure } from "./error-kinds.ts";

/** Client programs and their versions. */
export const clients = defineQuestion({
  id: "clients",
  title: "Clients and versions",
  description: "Programs that called, as they name themselves, with the versions of the protocol that they speak.",
  component: "ClientUse",
  row: {
    name: z.string().nullable(),
    version: z.string().nullable(),
    era: z.string().nullable(),
    protocolVersion: z.string().nullable(),
    requests: z.int(),
    sessions: z.int(),
    consumers: z.int(),
    errors: z.int(),
    lastAt: z.iso.datetime(),
  },
  sql: ({
    where,
  }) => `SELECT nullIf(toString(client_name), '') AS name, nullIf(toString(client_version), '') AS version,
  nullIf(toString(era), '') AS era, nullIf(toString(mcp_protocol_version), '') AS protocolVersion, count() AS requests,
  uniqIf(session_id_hash, session_id_hash != '') AS sessions, uniqIf(${consumer}, ${consumer} != '') AS consumers,
  countIf(${isFailure}) AS errors, max(ts) AS lastAt
FROM {db}.exchanges WHERE ${where} AND api_kind = 'McpServer'
GROUP BY name, version, era, protocolVersion ORDER BY requests DESC, name, version, era, protocolVersion`,
});
