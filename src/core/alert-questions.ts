/** Questions of analytics that an alert may ask, by the ends of their paths. */
export const alertQuestions = [
  "traffic",
  "errors",
  "latency",
  "top-models",
  "top-tools",
  "costs",
  "audience",
  "cache-savings",
  "clients",
  "error-kinds",
  "governance-trend",
  "guardrail-hits",
  "heat-map",
  "latency-steps",
  "providers",
  "routing-shares",
  "servers",
  "sessions",
  "spend-forecast",
  "tool-filter-savings",
  "top-consumers",
  "unused",
] as const;

export type AlertQuestion = (typeof alertQuestions)[number];

/** What narrows a question beside its range, its API and its environment. */
export interface AlertFilters {
  /** An application's id. */
  readonly application?: string | undefined;
  /** A key's id. */
  readonly key?: string | undefined;
  readonly model?: string | undefined;
  readonly tool?: string | undefined;
  readonly client?: string | undefined;
}

/** What an alert asks about. */
export interface AlertSelection extends AlertFilters {
  /** Milliseconds since the epoch; `toMs` itself is not in it. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly api: string | undefined;
  readonly environment: string | undefined;
  /** Of all when undefined. */
  readonly teamIds: readonly string[] | undefined;
}

/**
 * Answers a question by its rows. Throws `request.invalid` for parameters and filters that the question does not have, and
 * as analytics do when there is no store or it does not answer.
 */
export type AskAlertQuestion = (
  question: AlertQuestion,
  selection: AlertSelection,
  params: Readonly<Record<string, string>>,
) => Promise<readonly Readonly<Record<string, unknown>>[]>;
