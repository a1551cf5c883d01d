/** Questions of analytics that an alert may ask, by the ends of their paths. */
export const alertQuestions = ["traffic", "errors", "latency", "top-models", "top-tools", "costs"] as const;

export type AlertQuestion = (typeof alertQuestions)[number];

/** What an alert asks about. */
export interface AlertSelection {
  /** Milliseconds since the epoch; `toMs` itself is not in it. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly api: string | undefined;
  readonly environment: string | undefined;
  /** Of all when undefined. */
  readonly teamIds: readonly string[] | undefined;
}

/** Answers a question by its rows. Throws as analytics do, when there is no store or it does not answer. */
export type AskAlertQuestion = (
  question: AlertQuestion,
  selection: AlertSelection,
) => Promise<readonly Readonly<Record<string, unknown>>[]>;
