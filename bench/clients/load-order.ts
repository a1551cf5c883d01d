/** What a load client is told to send. */
export interface LoadOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Each sends its next request when the last one is answered. */
  readonly connections: number;
  /** In all; absent: as many as go into `seconds`. */
  readonly requests?: number;
  readonly seconds?: number;
  /** All connections together send no more than this; absent: as much as goes through. Who is late sends at once. */
  readonly perSecond?: number;
  /** The connections begin spread over this time, so that streams are not all in the same phase. */
  readonly staggerMs?: number;
  /** Exchanges before the measurement begins, on one connection. */
  readonly warmUps?: number;
}

/** What came of it. */
export interface LoadResult {
  readonly requests: number;
  /** Answers other than 200, and connections lost. */
  readonly errors: number;
  readonly elapsedMs: number;
  /** Microseconds of each exchange, in the order of their ends. */
  readonly wholeUs: readonly number[];
  readonly firstByteUs: readonly number[];
}
