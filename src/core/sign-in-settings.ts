/** How long people are signed in, and tokens last. */
export interface SignInSettings {
  /** A session that is not used for this long ends. */
  readonly idleMinutes: number;
  /** A session ends after this long in any case. */
  readonly sessionHours: number;
  /** The longest that an access token may last. */
  readonly maxTokenDays: number;
}

/** What holds where nothing was configured. */
export const defaultSignIn: SignInSettings = { idleMinutes: 60, sessionHours: 12, maxTokenDays: 366 };
