import { z } from "zod";
import { httpUrlSchema, secretName, secretReferenceSchema } from "../core/api-spec.ts";
import { GatewayError } from "../kernel/errors.ts";
import { defineKeyManager } from "../pipeline/define-key-manager.ts";
import { algorithmsSchema, clockSkewSchema } from "./algorithms.ts";
import { createClientRegistration } from "./client-registration.ts";
import { countKeys, runConnectionTest } from "./connection-test.ts";
import { createDiscovery, discoveryUrl } from "./discovery.ts";
import { createIntrospection } from "./introspection.ts";
import { createRemoteServer } from "./remote-server.ts";

const claimSchema = z.string().min(1).max(200);
const claimsSchema = z.array(claimSchema).min(1).max(10);

const config = z.strictObject({
  issuer: httpUrlSchema.meta({ title: "Issuer", description: "The value of `iss` in its tokens, to the letter." }),
  discoveryUrl: httpUrlSchema.optional().meta({
    title: "Discovery URL",
    description: "Where its discovery document is; below the issuer when absent.",
  }),
  jwksUrl: httpUrlSchema
    .optional()
    .meta({ title: "Keys URL", description: "Where its keys are; as the discovery document says when absent." }),
  algorithms: algorithmsSchema,
  clockSkewSeconds: clockSkewSchema,
  keyMaxAgeSeconds: z
    .int()
    .min(60)
    .max(86_400)
    .default(600)
    .meta({ title: "Age of keys", description: "Seconds after which keys are fetched again." }),
  tokenTypes: z.array(z.string().min(1).max(100).toLowerCase()).min(1).max(10).optional().meta({
    title: "Token types",
    description: "Accepted values of the header's `typ`, such as `at+jwt`; any when absent.",
  }),
  clientIdClaims: claimsSchema
    .default(["azp", "client_id"])
    .meta({ title: "Client claims", description: "Claims that may hold the client's id; the first that does counts." }),
  scopeClaims: claimsSchema
    .default(["scope", "scp"])
    .meta({ title: "Scope claims", description: "Claims that may hold the scopes, as text or as a list." }),
  rolesClaim: claimSchema.optional().meta({
    title: "Roles claim",
    description: "A claim, or a path with dots, whose value conditions see as `principal.claims.roles`.",
  }),
  allowUnknownClients: z.boolean().default(false).meta({
    title: "Unknown clients",
    description: "Whether clients that are not registered here may call, in production and without an application.",
  }),
  introspection: z
    .strictObject({
      clientId: z.string().min(1).max(500).meta({ title: "Client id", description: "Who asks." }),
      clientSecret: secretReferenceSchema.meta({ title: "Client secret", description: "A reference to a secret." }),
      cacheSeconds: z
        .int()
        .min(1)
        .max(300)
        .default(30)
        .meta({ title: "Remembered", description: "Seconds for which an answer holds." }),
      tokenPrefix: z.string().min(1).max(100).optional().meta({
        title: "Token prefix",
        description:
          "What its tokens that are no JWT begin with: it is asked about no other. Needed where an API accepts several key managers that are asked.",
      }),
    })
    .optional()
    .meta({
      title: "Introspection",
      description: "Asks the server about tokens that are no JWT; refused when absent.",
    }),
  registration: z
    .strictObject({
      initialAccessToken: secretReferenceSchema.meta({
        title: "Initial access token",
        description: "What lets us register clients; a reference to a secret.",
      }),
    })
    .optional()
    .meta({ title: "Registration", description: "Makes clients at the server by RFC 7591; by hand when absent." }),
});

/** Any server that publishes a discovery document and signs its access tokens, or can be asked about them. */
export const oidc = defineKeyManager({
  id: "oidc",
  title: "OpenID Connect",
  summary: "Any OpenID Connect or OAuth server, by its discovery document.",
  config,
  examples: [
    { issuer: "https://login.example.com" },
    {
      issuer: "https://login.example.com/tenant",
      jwksUrl: "https://login.example.com/tenant/keys",
      tokenTypes: ["at+jwt"],
      introspection: { clientId: "gatehouse", clientSecret: "${secret:introspection}" },
      registration: { initialAccessToken: "${secret:registration}" },
    },
  ],
  compile(options, { fetch, clock, secrets }) {
    const { issuer, jwksUrl, introspection, registration, rolesClaim } = options;
    const tokenPrefix = introspection?.tokenPrefix;
    const documentUrl = options.discoveryUrl ?? discoveryUrl(issuer);
    const own = jwksUrl === undefined ? [] : [jwksUrl];
    const server = createRemoteServer([issuer, documentUrl, ...own], { fetch });
    const isDiscovered = jwksUrl === undefined || introspection !== undefined || registration !== undefined;
    const discovery = createDiscovery(issuer, documentUrl, server, clock);
    const locate = async () => {
      const url = jwksUrl ?? (await discovery.document()).jwks_uri;
      return { url, chosenBy: server.chosenBy(url) };
    };
    const endpoint = async (name: "introspection_endpoint" | "registration_endpoint"): Promise<string> => {
      const url = (await discovery.document())[name];
      if (url !== undefined) return url;
      throw new GatewayError("upstream.invalid", "The key manager's server cannot do that.", {
        detail: `its discovery document names no ${name}`,
      });
    };
    return {
      rules: {
        issuers: [issuer],
        algorithms: options.algorithms,
        types: options.tokenTypes,
        clockSkewMs: options.clockSkewSeconds * 1_000,
        binding: { by: "audience" },
        clientIdClaims: options.clientIdClaims,
        scopeClaims: options.scopeClaims,
        secretIdClaim: undefined,
        allowUnknownClients: options.allowUnknownClients,
        inKeyHeader: false,
        introspectionMs: introspection && introspection.cacheSeconds * 1_000,
        ...(tokenPrefix !== undefined && { opaqueTokens: (token: string) => token.startsWith(tokenPrefix) }),
        ...(rolesClaim === undefined ? {} : { rolesClaim }),
      },
      reaches: isDiscovered ? [documentUrl, ...own] : own,
      keys: { type: "remote", maxAgeMs: options.keyMaxAgeSeconds * 1_000, locate },
      ...(introspection === undefined
        ? {}
        : {
            introspect: createIntrospection({
              ...introspection,
              url: () => endpoint("introspection_endpoint"),
              server,
              secrets,
              clock,
            }),
          }),
      ...(registration === undefined
        ? {}
        : {
            clients: createClientRegistration({
              url: () => endpoint("registration_endpoint"),
              server,
              authorization: async () => ({
                authorization: `Bearer ${await secrets.read(secretName(registration.initialAccessToken))}`,
              }),
            }),
          }),
      test: () =>
        runConnectionTest([
          ...(jwksUrl === undefined
            ? [
                {
                  name: "discovery" as const,
                  run: async () => `${documentUrl} is of ${(await discovery.document()).issuer}`,
                },
              ]
            : []),
          {
            name: "keys",
            async run() {
              const { url } = await locate();
              return `${countKeys((await server.send({ url })).json())} at ${url}`;
            },
          },
        ]),
    };
  },
});
