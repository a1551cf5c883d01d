import { z } from "zod";
import { defineQuestion } from "./define-question.ts";

/** What happened in one session, message by message. */
export const sessionTimeline = defineQuestion({
  id: "session-timeline",
  title: "Session timeline",
  description: "The messages of one session (`session`, as `sessions` names it) in their order, of both directions.",
  component: "SessionMessage",
  params: {
    session: z.string().min(1).max(64).meta({ title: "Session", description: "The hash of its id." }),
  },
  row: {
    ts: z.iso.datetime(),
    exchangeId: z.string(),
    operationId: z.string(),
    direction: z.string(),
    method: z.string(),
    name: z.string().nullable().meta({ description: "Of a tool or prompt; the hash of a resource's address." }),
    outcome: z.string(),
    isError: z.boolean(),
    errorCode: z.string().nullable(),
    durationMs: z.number(),
    upstreamMs: z.number().nullable(),
    events: z.int().nullable(),
    inputRound: z.int().nullable(),
  },
  sql: ({
    where,
  }) => `SELECT ts, toString(exchange_id) AS exchangeId, toString(operation_id) AS operationId, direction, method,
  nullIf(if(primitive_name != '', toString(primitive_name), resource_uri_hash), '') AS name, outcome, ifNull(is_error, false) AS isError,
  nullIf(if(error_code != '', toString(error_code), toString(error_type)), '') AS errorCode, duration_ms AS durationMs,
  upstream_ms AS upstreamMs, events_streamed AS events, input_round AS inputRound
FROM {db}.exchanges WHERE ${where} AND session_id_hash = {sessionHash:String} ORDER BY ts, operation_id`,
  values: ({ session }) => ({ sessionHash: session }),
});
