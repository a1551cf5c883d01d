import { z } from "zod";
import { atSchema, defineQuestion } from "./define-question.ts";

/** What policies and guardrails did. */
export const guardrailHits = defineQuestion({
  id: "guardrail-hits",
  title: "Decisions of policies and guardrails",
  description: "What policies and guardrails have refused, rewritten or noted; what only monitors as well.",
  component: "PolicyHit",
  hasSteps: true,
  row: {
    at: atSchema,
    apiId: z.string(),
    apiName: z.string(),
    policy: z.string(),
    step: z.string(),
    action: z.string(),
    mode: z.string(),
    code: z.string().nullable(),
    count: z.int(),
    lastAt: z.iso.datetime(),
  },
  sql: ({
    where,
    step,
  }) => `SELECT ${step} AS at, api_id AS apiId, any(api_name) AS apiName, toString(decision.1) AS policy,
  toString(decision.3) AS step, toString(decision.4) AS action, toString(decision.5) AS mode, decision.6 AS code, count() AS count,
  max(ts) AS lastAt
FROM {db}.exchanges ARRAY JOIN decisions AS decision WHERE ${where}
GROUP BY at, api_id, policy, step, action, mode, code ORDER BY at, count DESC, apiId, policy, step, action, mode, code`,
});
