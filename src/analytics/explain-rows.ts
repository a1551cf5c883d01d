import { z } from "zod";

const text = z.string().nullable().default(null);
const number = z.number().nullable().default(null);

/** A row of an operation, as far as it explains something; the other columns come along. */
export const explainedRowSchema = z.looseObject({
  ts: z.iso.datetime(),
  exchange_id: z.string(),
  operation_id: z.string(),
  parent_id: text,
  trace_id: text,
  node: z
    .string()
    .nullable()
    .transform((name) => name ?? ""),
  config_hash: z
    .string()
    .nullable()
    .transform((hash) => hash ?? ""),
  team_id: text,
  api_id: z.string(),
  api_name: z.string(),
  api_kind: z.string(),
  api_revision: z.int(),
  application_id: text,
  plan_id: text,
  operation_kind: text,
  operation_name: text,
  http_status: z.int(),
  outcome: z.string(),
  error_code: text,
  error_detail: text,
  denied_by: text,
  duration_ms: z.number(),
  decisions: z.array(
    z.looseObject({
      policy: z.string(),
      place: z.string(),
      step: z.string(),
      action: z.string(),
      mode: z.string(),
      code: text,
      detail: text,
    }),
  ),
});

/** A row of a try. */
export const explainedAttemptSchema = z.looseObject({
  operation_id: z.string(),
  attempt: z.int(),
  target: z
    .string()
    .nullable()
    .transform((name) => name ?? ""),
  provider: text,
  model: text,
  status: number,
  error_code: text,
  first_byte_ms: number,
  duration_ms: number,
});

export type ExplainedRow = z.output<typeof explainedRowSchema>;
export type ExplainedAttempt = z.output<typeof explainedAttemptSchema>;

/** What is known of one exchange. */
export interface ExchangeRows {
  /** At least one, in the order of their times. */
  readonly rows: readonly ExplainedRow[];
  readonly attempts: readonly ExplainedAttempt[];
  /** The configuration's document, when the store has kept it. */
  readonly document: string | undefined;
  /** Operations whose texts are kept; none when absent. */
  readonly captures?: number;
}

/** Reads all that is kept of one exchange. */
export interface ExchangeFinder {
  /** @param teamIds only of APIs of these teams; of all when absent. Undefined when there is no such exchange for them. */
  find(exchangeId: string, teamIds: readonly string[] | undefined): Promise<ExchangeRows | undefined>;
}
