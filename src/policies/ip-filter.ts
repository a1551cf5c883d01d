import { z } from "zod";
import { createCidrSet, isCidr } from "../kernel/cidr-set.ts";
import { definePolicy } from "../pipeline/define-policy.ts";
import { deny } from "../pipeline/outcome.ts";

const networks = z
  .array(z.string().max(64).refine(isCidr, "an IP address or a CIDR network"))
  .min(1)
  .max(10_000)
  .optional();

const config = z
  .strictObject({
    allow: networks.meta({
      title: "Allow",
      description: "Who may call, as addresses or CIDR networks; all when absent.",
    }),
    deny: networks.meta({ title: "Deny", description: "Who may not; counts before `allow`." }),
  })
  .refine(({ allow, deny: denied }) => allow !== undefined || denied !== undefined, "give `allow` or `deny`");

/**
 * Lets callers in by their address: that of the socket, or what trusted proxies say. A caller whose address is not
 * known is in no list, so `allow` keeps it out. IPv4 networks hold IPv4-mapped IPv6 addresses.
 */
export const ipFilter = definePolicy({
  id: "ip-filter",
  title: "IP filter",
  summary: "Lets callers in, or keeps them out, by their IP address.",
  config,
  examples: [{ allow: ["10.0.0.0/8", "2001:db8::/32"], deny: ["10.6.6.6"] }, { deny: ["203.0.113.0/24"] }],
  onError: "deny",
  compile({ allow, deny: denied }, _tools, { place }) {
    const allowed = allow && createCidrSet(allow);
    const refused = denied && createCidrSet(denied);
    return {
      admit({ inbound: { clientIp } }) {
        if (refused?.contains(clientIp) !== true && allowed?.contains(clientIp) !== false) return undefined;
        return deny("auth.forbidden", "Your address may not call this API.", { detail: `${place}: ${clientIp}` });
      },
    };
  },
});
