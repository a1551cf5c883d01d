/** How the installation wants its OAuth clients. */
export interface OauthSettings {
  /** Live secrets that a client may have; undefined is as many as it likes. */
  readonly secretCount?: number | undefined;
  /** False: a new secret takes the place of the ones before. */
  readonly multipleSecrets: boolean;
  /** Days before its end in which a key or secret is warned of. */
  readonly expiryWarningDays: number;
  /** Days without a token after which a client that registered itself is deleted; 0 is never, 30 where it is absent. */
  readonly registrationIdleDays?: number;
  /** Seconds for which a new signing key is published before it signs; 300 where it is absent. */
  readonly signingKeyOverlapSeconds?: number;
  /** Seconds that an access token of the resident key manager lives where its client names none. */
  readonly accessTokenSeconds?: number;
  /** The same of a refresh token. */
  readonly refreshTokenSeconds?: number;
}

/** What holds where nothing was configured. */
export const defaultOauthSettings: OauthSettings = {
  multipleSecrets: true,
  expiryWarningDays: 14,
};
