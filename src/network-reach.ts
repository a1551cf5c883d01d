import { isIP } from "node:net";
import type { Config } from "./config.ts";
import type { KeylessReach } from "./core/keyless-reach.ts";
import { createCidrSet } from "./kernel/cidr-set.ts";
import { createNetworkPolicy, developmentReach } from "./kernel/network-policy.ts";

/** Whom APIs without keys are answered to. */
export function keylessReachOf(config: Config): KeylessReach {
  if (config.network.allowKeyless) return "anybody";
  return config.env === "production" ? "nobody" : "loopback";
}

/**
 * Whether key managers may be called over plain http at a host: in production only at addresses, and `localhost`, that the
 * operator has listed. What a name stands for is known to whoever answers for it.
 */
export function plainHttpOf({ env, network: { allowCidrs } }: Config): (hostname: string) => boolean {
  if (env !== "production") return () => true;
  const allowed = createCidrSet(allowCidrs ?? []);
  return (hostname) => {
    const addresses = hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname.replace(/^\[|\]$/g, "")];
    return addresses.every((address) => isIP(address) !== 0 && allowed.contains(address));
  };
}

/** Which addresses upstreams may have. */
export function networkPolicyOf(config: Config): ReturnType<typeof createNetworkPolicy> {
  const { allowCidrs } = config.network;
  const isDevelopment = config.env === "development" && allowCidrs === undefined;
  return createNetworkPolicy({ allowCidrs: allowCidrs ?? [], operatorReach: isDevelopment ? developmentReach : [] });
}
