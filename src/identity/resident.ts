import { z } from "zod";
import { defineKeyManager } from "../pipeline/define-key-manager.ts";
import { clockSkewSchema } from "./algorithms.ts";

const config = z.strictObject({ clockSkewSeconds: clockSkewSchema });

/**
 * The OAuth server that is part of the installation, as gateways see it: its keys come with its record, so a gateway
 * fetches nothing. Until it has published keys, no token is of it.
 */
export const resident = defineKeyManager({
  id: "resident",
  title: "Resident",
  summary: "The OAuth server of this installation.",
  config,
  examples: [{}],
  compile({ clockSkewSeconds }, _tools, { residentKeys }) {
    const issuers = residentKeys === undefined ? [] : [residentKeys.issuer];
    const keys = residentKeys?.jwks.keys ?? [];
    return {
      rules: {
        issuers,
        algorithms: ["ES256", "RS256", "PS256", "EdDSA"],
        types: ["at+jwt"],
        clockSkewMs: clockSkewSeconds * 1_000,
        binding: { by: "audience" },
        clientIdClaims: ["client_id"],
        scopeClaims: ["scope"],
        secretIdClaim: "gh_sid",
        originsClaim: "gh_from",
        allowUnknownClients: false,
        inKeyHeader: false,
      },
      keys: { type: "local", keys },
      reaches: [],
      async test() {
        const detail =
          keys.length === 0 ? "It has published no keys yet." : `${issuers.join()} with ${keys.length} published keys.`;
        return { ok: keys.length > 0, steps: [{ name: "keys", ok: keys.length > 0, detail }] };
      },
    };
  },
});
