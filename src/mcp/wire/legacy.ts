/** The eras of the protocol: up to 2025-11-25 with a handshake and sessions, from 2026-07-28 on without. */
export type McpEra = "legacy" | "modern";

/** Versions with a handshake, newest first. */
export const legacyVersions = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05", "2024-10-07"] as const;

/** What a request without a version header speaks (2025-11-25, basic/transports, "Protocol Version Header"). */
export const defaultLegacyVersion = "2025-03-26";

/** The one version in which a request may hold several messages. */
export const batchVersion = "2025-03-26";

/** True for a version of the sessions' era. */
export function isLegacyVersion(version: string): boolean {
  return legacyVersions.some((known) => known === version);
}
