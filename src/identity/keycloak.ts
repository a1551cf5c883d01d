import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../core/api-spec.ts";
import { defineKeyManager } from "../pipeline/define-key-manager.ts";
import { algorithmsSchema, clockSkewSchema } from "./algorithms.ts";
import { countKeys, runConnectionTest } from "./connection-test.ts";
import { createDiscovery, discoveryUrl } from "./discovery.ts";
import { createKeycloakClients, createKeycloakScopes } from "./keycloak-admin.ts";
import { createManagementToken } from "./management-token.ts";
import { createRemoteServer } from "./remote-server.ts";

const config = z.strictObject({
  realmUrl: httpUrlSchema
    .refine((url) => /\/realms\/[^/]+$/.test(url), "end with /realms/ and the realm's name")
    .meta({ title: "Realm URL", description: "Such as https://keycloak.example.com/realms/main; also its issuer." }),
  algorithms: algorithmsSchema,
  clockSkewSeconds: clockSkewSchema,
  keyMaxAgeSeconds: z
    .int()
    .min(60)
    .max(86_400)
    .default(600)
    .meta({ title: "Age of keys", description: "Seconds after which keys are fetched again." }),
  allowUnknownClients: z.boolean().default(false).meta({
    title: "Unknown clients",
    description: "Whether clients that are not registered here may call, in production and without an application.",
  }),
  admin: z
    .strictObject({
      clientId: z.string().min(1).max(255).meta({
        title: "Client id",
        description: "A confidential client of the realm with service accounts on.",
      }),
      clientSecret: secretReferenceSchema.meta({ title: "Client secret", description: "A reference to a secret." }),
    })
    .optional()
    .meta({
      title: "Administration",
      description: "Makes clients, scopes and roles; its service account needs `manage-clients` and `manage-realm`.",
    }),
});

/** A Keycloak realm. Realm roles show as `principal.claims.roles`; identity and refresh tokens are no access tokens. */
export const keycloak = defineKeyManager({
  id: "keycloak",
  title: "Keycloak",
  summary: "A realm of a Keycloak server.",
  config,
  examples: [
    { realmUrl: "https://keycloak.example.com/realms/main" },
    {
      realmUrl: "https://keycloak.example.com/realms/main",
      admin: { clientId: "gatehouse", clientSecret: "${secret:keycloak-admin}" },
    },
  ],
  compile(options, { fetch, clock, secrets }) {
    const { realmUrl, admin } = options;
    const server = createRemoteServer([realmUrl], { fetch });
    const discovery = createDiscovery(realmUrl, discoveryUrl(realmUrl), server, clock);
    const locate = async () => {
      const url = (await discovery.document()).jwks_uri;
      return { url, chosenBy: server.chosenBy(url) };
    };
    const tokenUrl = `${realmUrl}/protocol/openid-connect/token`;
    const authorization =
      admin && createManagementToken({ ...admin, tokenUrl: () => tokenUrl, scopes: [], server, secrets, clock });
    const adminUrl = realmUrl.replace(/\/realms\/([^/]+)$/, "/admin/realms/$1");
    return {
      rules: {
        issuers: [realmUrl],
        algorithms: options.algorithms,
        types: undefined,
        clockSkewMs: options.clockSkewSeconds * 1_000,
        binding: { by: "audience" },
        clientIdClaims: ["azp", "client_id"],
        scopeClaims: ["scope"],
        secretIdClaim: undefined,
        allowUnknownClients: options.allowUnknownClients,
        inKeyHeader: false,
        rolesClaim: "realm_access.roles",
        // Keycloak says in a claim what a token is for; they are all signed by the same keys.
        kindFault: ({ typ }) => (typ === "Bearer" ? undefined : "Keycloak issued it for something else than calling"),
      },
      reaches: [realmUrl],
      keys: { type: "remote", maxAgeMs: options.keyMaxAgeSeconds * 1_000, locate },
      ...(authorization === undefined
        ? {}
        : {
            clients: createKeycloakClients(adminUrl, server, authorization),
            scopes: createKeycloakScopes(adminUrl, server, authorization),
          }),
      test: () =>
        runConnectionTest([
          { name: "discovery", run: async () => `issuer ${(await discovery.document()).issuer}` },
          {
            name: "keys",
            async run() {
              const { url } = await locate();
              return `${countKeys((await server.send({ url })).json())} at ${url}`;
            },
          },
          ...(authorization === undefined
            ? []
            : [
                { name: "token" as const, run: async () => (await authorization(), `got one at ${tokenUrl}`) },
                {
                  name: "clients" as const,
                  async run() {
                    await server.send({ url: `${adminUrl}/clients?first=0&max=1`, headers: await authorization() });
                    return "the realm's clients can be read";
                  },
                },
              ]),
        ]),
    };
  },
});
