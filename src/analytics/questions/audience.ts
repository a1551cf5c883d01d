import { z } from "zod";
import { atSchema, defineQuestion, shareSchema } from "./define-question.ts";
import { isFailure } from "./error-kinds.ts";

/** Who was there, over time. */
export const audience = defineQuestion({
  id: "audience",
  title: "Consumers and sessions over time",
  description:
    "How many different consumers, sessions and client programs there were, beside requests, tool calls and the share of errors. A consumer is an application, or the key or the token's subject where there is none.",
  component: "Audience",
  hasSteps: true,
  row: {
    at: atSchema,
    requests: z.int(),
    toolCalls: z.int(),
    consumers: z.int(),
    sessions: z.int(),
    clients: z.int().meta({ description: "Names of client programs, as they say them." }),
    errors: z.int(),
    errorShare: shareSchema,
  },
  sql: ({ where, step }) => `SELECT ${step} AS at, count() AS requests, countIf(method = 'tools/call') AS toolCalls,
  uniqIf(${consumer}, ${consumer} != '') AS consumers, uniqIf(session_id_hash, session_id_hash != '') AS sessions,
  uniqIf(client_name, client_name != '') AS clients, countIf(${isFailure}) AS errors, round(errors / requests, 4) AS errorShare
FROM {db}.exchanges WHERE ${where} GROUP BY at ORDER BY at`,
});

/** Who a row counts for. */
export const consumer =
  "multiIf(application_id != '', application_id, key_id != '', key_id, subject_hash != '', subject_hash, client_id)";
