import type { LookupAddress, LookupOptions } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { addressClass } from "./address-class.ts";
import { createCidrSet } from "./cidr-set.ts";
import { GatewayError } from "./errors.ts";

/**
 * Who chose the host of an outbound URL: the operator (configuration, resources), a tenant, or an answer from outside
 * (a redirect, OAuth metadata, a `$ref`).
 */
export type ChosenBy = "operator" | "tenant" | "response";

export interface NetworkPolicyOptions {
  /** Addresses and networks that may be reached although they are not public, whoever chose the host. */
  readonly allowCidrs: readonly string[];
  /** What the operator's own hosts may be without being listed: `developmentReach`, or nothing in production. */
  readonly operatorReach: readonly ("loopback" | "private")[];
}

/** Outside of production the operator's hosts may be on this machine and in the private network. */
export const developmentReach = ["loopback", "private"] as const;

/** Which addresses may be connected to. */
export interface NetworkPolicy {
  permits(ip: string, chosenBy: ChosenBy): boolean;
  /** Throws `upstream.refused_address` where `permits` is false. */
  check(ip: string, chosenBy: ChosenBy): void;
  /**
   * Checks a host that is itself an address (brackets round IPv6 are fine), because `net.connect` asks no lookup for
   * one. A name passes: `createGuardedLookup` judges what it resolves to. Throws `upstream.refused_address`.
   */
  assertHost(hostname: string, chosenBy: ChosenBy): void;
}

/**
 * The policy: public addresses always, others when listed or, for the operator's hosts, within reach. Link-local and
 * metadata addresses never, listed or not. Throws `config.invalid` for a list that does not parse.
 */
export function createNetworkPolicy({ allowCidrs, operatorReach }: NetworkPolicyOptions): NetworkPolicy {
  const allowed = createCidrSet(allowCidrs);
  const reach = new Set<string>(operatorReach);
  const permits = (ip: string, chosenBy: ChosenBy): boolean => {
    const found = addressClass(ip);
    if (found === "metadata" || found === "link-local") return false;
    return found === "public" || allowed.contains(ip) || (chosenBy === "operator" && reach.has(found));
  };
  const check = (ip: string, chosenBy: ChosenBy): void => {
    if (!permits(ip, chosenBy)) throw refused(ip, chosenBy, [ip]);
  };
  return {
    permits,
    check,
    assertHost(hostname, chosenBy) {
      const host = hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
      if (isIP(host) !== 0) check(host, chosenBy);
    },
  };
}

/** Finds all addresses of a name, in the order in which they should be tried. */
export type ResolveHost = (hostname: string, family: 0 | 4 | 6) => Promise<readonly LookupAddress[]>;

/** The system's resolver, hosts file included. */
export const systemResolve: ResolveHost = (hostname, family) => lookup(hostname, { all: true, family });

/**
 * A `lookup` for `net.connect`, `tls.connect` or undici's connector. It resolves, judges every address and hands on
 * only those that are permitted: the socket connects to what was checked, so a second answer of the name server
 * cannot change the target. Fails with `upstream.refused_address` when nothing is left.
 */
export function createGuardedLookup(
  policy: NetworkPolicy,
  chosenBy: ChosenBy,
  resolve: ResolveHost = systemResolve,
): LookupFunction {
  return (hostname, options, callback) => {
    const family = familyOf(options.family);
    const find = async (): Promise<readonly [LookupAddress, ...LookupAddress[]]> => {
      const found = await resolve(hostname, family);
      const [first, ...others] = found.filter(({ address }) => policy.permits(address, chosenBy));
      if (first === undefined)
        throw refused(
          hostname,
          chosenBy,
          found.map(({ address }) => address),
        );
      return [first, ...others];
    };
    find().then(
      (addresses) => {
        if (options.all) callback(null, [...addresses]);
        else callback(null, addresses[0].address, addresses[0].family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ""),
    );
  };
}

function familyOf(family: LookupOptions["family"]): 0 | 4 | 6 {
  if (family === 4 || family === "IPv4") return 4;
  return family === 6 || family === "IPv6" ? 6 : 0;
}

function refused(host: string, chosenBy: ChosenBy, addresses: readonly string[]): GatewayError {
  const found = addresses.map((address) => `${address} is ${addressClass(address)}`).join(", ") || "no address";
  return new GatewayError("upstream.refused_address", "The upstream's address is not permitted.", {
    detail: `${host}, chosen by ${chosenBy}: ${found}; see network.allowCidrs`,
  });
}
