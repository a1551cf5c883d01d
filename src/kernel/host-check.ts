import { isIP } from "node:net";
import type { ChosenBy, NetworkPolicy, ResolveHost } from "./network-policy.ts";
import { systemResolve } from "./network-policy.ts";

/**
 * Whether a host has an address that may be connected to, by its name alone: nothing is sent to it. False where the
 * name is not known, where the name server fails, and where there are forbidden addresses only.
 */
export type HostCheck = (hostname: string, chosenBy: ChosenBy) => Promise<boolean>;

/** A check by the system's resolver. Brackets round IPv6 are fine. */
export function createHostCheck(policy: NetworkPolicy, resolve: ResolveHost = systemResolve): HostCheck {
  return async (hostname, chosenBy) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0) return policy.permits(host, chosenBy);
    try {
      const found = await resolve(host, 0);
      return found.some(({ address }) => policy.permits(address, chosenBy));
    } catch {
      return false; // ENOTFOUND and its kin
    }
  };
}
