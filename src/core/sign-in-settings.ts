import type { Role } from "./roles.ts";

/** How long people are signed in, and tokens last. */
export interface SignInSettings {
  /** A session that is not used for this long ends. */
  readonly idleMinutes: number;
  /** A session ends after this long in any case. */
  readonly sessionHours: number;
  /** The longest that an access token may last. */
  readonly maxTokenDays: number;
  /** With which key managers people may sign in, by their names. */
  readonly sso: Readonly<Record<string, SsoSettings>>;
}

/** How people sign in with one key manager, and what they may do then. */
export interface SsoSettings {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** A claim of the identity token, or a path with dots. */
  readonly rolesClaim: string;
  /** Roles in the whole installation by the claim's values. */
  readonly roles: Readonly<Record<string, readonly Role[]>>;
  /** Roles for teams by the claim's values, each team by its name. */
  readonly teams: Readonly<Record<string, readonly { readonly team: string; readonly roles: readonly Role[] }[]>>;
  readonly createUsers: boolean;
}

/** What holds where nothing was configured. */
export const defaultSignIn: SignInSettings = { idleMinutes: 60, sessionHours: 12, maxTokenDays: 366, sso: {} };
