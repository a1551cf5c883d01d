/** The environment variable that tells `through-gateway.ts` which gateway to go through, as JSON. */
export const settingVariable = "THROUGH_GATEWAY";

/** A running gateway, and who uses it. */
export interface ThroughGateway {
  readonly controlUrl: string;
  readonly gatewayUrl: string;
  readonly adminToken: string;
  /** Whose keys call, and whose account at the upstream is used. */
  readonly application: string;
  /** Who consents for it. */
  readonly user: string;
  readonly password: string;
}
