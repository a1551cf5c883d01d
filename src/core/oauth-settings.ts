/** How the installation wants its OAuth clients. */
export interface OauthSettings {
  /** Live secrets that a client may have; undefined is as many as it likes. */
  readonly secretCount?: number | undefined;
  /** False: a new secret takes the place of the ones before. */
  readonly multipleSecrets: boolean;
  /** Days before its end in which a key or secret is warned of. */
  readonly expiryWarningDays: number;
}

/** What holds where nothing was configured. */
export const defaultOauthSettings: OauthSettings = {
  multipleSecrets: true,
  expiryWarningDays: 14,
};
