import { z } from "zod";
import { httpUrlSchema } from "../core/api-spec.ts";
import type { Environment } from "../core/environment.ts";
import { defineKeyManager } from "../pipeline/define-key-manager.ts";
import { algorithmsSchema, clockSkewSchema } from "./algorithms.ts";
import { countKeys, runConnectionTest } from "./connection-test.ts";
import { memberAt } from "./read-claims.ts";
import { createRemoteServer } from "./remote-server.ts";

const claim = z.string().min(1).max(200);

const config = z
  .strictObject({
    issuer: z
      .string()
      .min(1)
      .max(2_000)
      .meta({ title: "Issuer", description: "The value of `iss` in the keys, to the letter." }),
    jwksUrl: httpUrlSchema.optional().meta({ title: "Keys URL", description: "Where the public keys are." }),
    publicKey: z
      .string()
      .max(20_000)
      .regex(/^-----BEGIN (PUBLIC KEY|CERTIFICATE)-----/, "a public key or a certificate in PEM")
      .optional()
      .meta({ title: "Public key", description: "A public key or certificate in PEM, in place of a URL." }),
    algorithms: algorithmsSchema,
    clockSkewSeconds: clockSkewSchema,
    apisClaim: claim.default("subscribedAPIs").meta({
      title: "APIs claim",
      description: "The claim that lists the APIs, by name or context, that a key is for.",
    }),
    ipsClaim: claim
      .default("permittedIP")
      .meta({ title: "Addresses claim", description: "From where it may be used." }),
    referrersClaim: claim
      .default("permittedReferer")
      .meta({ title: "Referrers claim", description: "From which pages it may be used." }),
    environmentClaim: claim.default("keytype").meta({
      title: "Environment claim",
      description: "`SANDBOX` leads to the sandbox, anything else to production.",
    }),
    clientIdClaims: z
      .array(claim)
      .min(1)
      .max(10)
      .default(["consumerKey", "azp", "client_id"])
      .meta({ title: "Client claims", description: "Claims that may name a client that is registered here." }),
    allowUnknownClients: z.boolean().default(true).meta({
      title: "Unknown clients",
      description: "Whether keys of clients that are not registered here are accepted.",
    }),
  })
  .refine(({ jwksUrl, publicKey }) => (jwksUrl === undefined) !== (publicKey === undefined), {
    path: ["jwksUrl"],
    message: "give `jwksUrl` or `publicKey`",
  })
  .refine(({ algorithms, publicKey }) => publicKey === undefined || algorithms.length === 1, {
    path: ["algorithms"],
    message: "name the one algorithm of the public key",
  });

/**
 * API keys that are JWTs, as other gateways have issued them: accepted as bearer tokens and in the header of API keys. A
 * key opens the APIs that it lists, from the addresses and pages that it lists, until it ends.
 */
export const jwtKeys = defineKeyManager({
  id: "jwt-keys",
  title: "JWT keys",
  summary: "API keys that are JWTs signed by an issuer whose public key is known.",
  config,
  examples: [
    { issuer: "https://old-gateway.example.com/oauth2/token", jwksUrl: "https://old-gateway.example.com/jwks" },
  ],
  compile(options, { fetch }) {
    const { issuer, jwksUrl, publicKey, environmentClaim } = options;
    const algorithm = options.algorithms[0] ?? "RS256";
    const server = createRemoteServer(jwksUrl === undefined ? [] : [jwksUrl], { fetch });
    return {
      rules: {
        issuers: [issuer],
        algorithms: options.algorithms,
        types: undefined,
        clockSkewMs: options.clockSkewSeconds * 1_000,
        binding: { by: "api-list", claim: options.apisClaim },
        clientIdClaims: options.clientIdClaims,
        scopeClaims: ["scope"],
        secretIdClaim: undefined,
        allowUnknownClients: options.allowUnknownClients,
        inKeyHeader: true,
        bounds: { ips: options.ipsClaim, referrers: options.referrersClaim },
        environment: (claims) => environmentOf(memberAt(claims, environmentClaim)),
      },
      reaches: jwksUrl === undefined ? [] : [jwksUrl],
      keys:
        jwksUrl === undefined
          ? { type: "pem", pem: publicKey ?? "", algorithm }
          : { type: "remote", maxAgeMs: 600_000, locate: async () => ({ url: jwksUrl, chosenBy: "operator" }) },
      test: () =>
        runConnectionTest([
          {
            name: "keys",
            async run() {
              if (jwksUrl === undefined) return `one ${algorithm} key out of the configuration`;
              return `${countKeys((await server.send({ url: jwksUrl })).json())} at ${jwksUrl}`;
            },
          },
        ]),
    };
  },
});

function environmentOf(value: unknown): Environment {
  return typeof value === "string" && value.toLowerCase() === "sandbox" ? "sandbox" : "production";
}
