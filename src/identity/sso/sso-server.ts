/** The client that signs people in at one server. */
export interface SsoServer {
  /** The name of the key manager. */
  readonly name: string;
  readonly issuer: string;
  /** Where its discovery document is; below the issuer when absent. */
  readonly discoveryUrl?: string | undefined;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
  /** The claim whose values give roles. */
  readonly rolesClaim: string;
  /** One for each server, so that an answer of another cannot be taken for its own (RFC 9700, 4.4.2). */
  readonly redirectUri: string;
}
