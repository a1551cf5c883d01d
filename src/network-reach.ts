import type { Config } from "./config.ts";
import type { KeylessReach } from "./core/keyless-reach.ts";
import { createNetworkPolicy, developmentReach } from "./kernel/network-policy.ts";

/** Whom APIs without keys are answered to. */
export function keylessReachOf(config: Config): KeylessReach {
  if (config.network.allowKeyless) return "anybody";
  return config.env === "production" ? "nobody" : "loopback";
}

/** Which addresses upstreams may have. */
export function networkPolicyOf(config: Config): ReturnType<typeof createNetworkPolicy> {
  const { allowCidrs } = config.network;
  const isDevelopment = config.env === "development" && allowCidrs === undefined;
  return createNetworkPolicy({ allowCidrs: allowCidrs ?? [], operatorReach: isDevelopment ? developmentReach : [] });
}
