import { z } from "zod";
import { httpUrlSchema, secretReferenceSchema } from "../core/api-spec.ts";
import type { RemoteClientSpec } from "../core/key-manager-connector.ts";
import { defineKeyManager } from "../pipeline/define-key-manager.ts";
import { algorithmsSchema, clockSkewSchema } from "./algorithms.ts";
import { createAsgardeoScopes } from "./asgardeo-scopes.ts";
import { createClientRegistration } from "./client-registration.ts";
import { countKeys, runConnectionTest } from "./connection-test.ts";
import { createDiscovery } from "./discovery.ts";
import { createIntrospection } from "./introspection.ts";
import { createManagementToken } from "./management-token.ts";
import { createRemoteServer } from "./remote-server.ts";

const organizationForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const config = z.strictObject({
  organization: z
    .string()
    .regex(organizationForm, "letters, digits and . _ -")
    .meta({ title: "Organization", description: "Its name, as in the console's address behind /t/." }),
  mgmtClientId: z
    .string()
    .min(1)
    .max(255)
    .meta({ title: "Management client id", description: "Of an application that may use the management APIs." }),
  mgmtClientSecret: secretReferenceSchema.meta({
    title: "Management client secret",
    description: "A reference to a secret.",
  }),
  globalScopesResource: z.string().min(1).max(255).meta({
    title: "Global scopes API resource",
    description: "The display name of the API resource that all scopes are put into; made when it is not there.",
  }),
  baseUrl: httpUrlSchema.optional().meta({
    title: "Base URL",
    description:
      "Of WSO2 Identity Server 7: https://is.example.com:9443, with /t/ and the tenant for another than the first. Asgardeo when absent.",
  }),
  apiResourceManagementEndpoint: httpUrlSchema.optional().meta({
    title: "API resource endpoint",
    description: "Below the base URL at /api/server/v1/api-resources when absent.",
  }),
  rolesEndpoint: httpUrlSchema
    .optional()
    .meta({ title: "Roles endpoint", description: "Below the base URL at /scim2/v2/Roles when absent." }),
  roleCreation: z.boolean().default(false).meta({
    title: "Create roles",
    description: "Makes the roles of scopes that are not there yet, and gives them their scopes.",
  }),
  algorithms: algorithmsSchema,
  clockSkewSeconds: clockSkewSchema,
  allowUnknownClients: z.boolean().default(false).meta({
    title: "Unknown clients",
    description: "Whether clients that are not registered here may call, in production and without an application.",
  }),
});

/** What the management application asks for, to do all that is done here. */
const managementScopes = [
  "internal_dcr_create",
  "internal_dcr_view",
  "internal_dcr_update",
  "internal_dcr_delete",
  "internal_api_resource_create",
  "internal_api_resource_view",
  "internal_api_resource_update",
  "internal_role_mgt_create",
  "internal_role_mgt_view",
  "internal_role_mgt_update",
];

/** An Asgardeo organization, or WSO2 Identity Server 7.x by its base URL. */
export const asgardeo = defineKeyManager({
  id: "asgardeo",
  title: "Asgardeo",
  summary: "An Asgardeo organization, or WSO2 Identity Server 7.",
  config,
  examples: [
    {
      organization: "acme",
      mgmtClientId: "gatehouse",
      mgmtClientSecret: "${secret:asgardeo}",
      globalScopesResource: "Gatehouse scopes",
    },
  ],
  compile(options, { fetch, clock, secrets }) {
    const { mgmtClientId: clientId, mgmtClientSecret: clientSecret } = options;
    const base = (options.baseUrl ?? `https://api.asgardeo.io/t/${options.organization}`).replace(/\/$/, "");
    const resourcesUrl = options.apiResourceManagementEndpoint ?? `${base}/api/server/v1/api-resources`;
    const rolesUrl = options.rolesEndpoint ?? `${base}/scim2/v2/Roles`;
    const issuer = `${base}/oauth2/token`;
    const server = createRemoteServer([base, resourcesUrl, rolesUrl], { fetch });
    const discovery = createDiscovery(issuer, `${issuer}/.well-known/openid-configuration`, server, clock);
    const jwksUrl = `${base}/oauth2/jwks`;
    const authorization = createManagementToken({
      tokenUrl: () => issuer,
      clientId,
      clientSecret,
      scopes: managementScopes,
      server,
      secrets,
      clock,
    });
    return {
      rules: {
        issuers: [issuer],
        algorithms: options.algorithms,
        types: ["at+jwt", "jwt"],
        clockSkewMs: options.clockSkewSeconds * 1_000,
        binding: { by: "audience" },
        clientIdClaims: ["azp"],
        scopeClaims: ["scope"],
        secretIdClaim: undefined,
        allowUnknownClients: options.allowUnknownClients,
        inKeyHeader: false,
        rolesClaim: "roles",
      },
      reaches: [base, resourcesUrl, rolesUrl],
      keys: { type: "remote", maxAgeMs: 600_000, locate: async () => ({ url: jwksUrl, chosenBy: "operator" }) },
      introspect: createIntrospection({
        url: () => `${base}/oauth2/introspect`,
        clientId,
        clientSecret,
        server,
        secrets,
        clock,
      }),
      clients: createClientRegistration({
        url: () => `${base}/api/identity/oauth2/dcr/v1.1/register`,
        server,
        authorization,
        extensions,
      }),
      scopes: createAsgardeoScopes({
        resourcesUrl,
        rolesUrl,
        resourceName: options.globalScopesResource,
        roleCreation: options.roleCreation,
        server,
        authorization,
      }),
      test: () =>
        runConnectionTest([
          { name: "discovery", run: async () => `issuer ${(await discovery.document()).issuer}` },
          { name: "keys", run: async () => `${countKeys((await server.send({ url: jwksUrl })).json())} at ${jwksUrl}` },
          { name: "token", run: async () => (await authorization(), `got one at ${issuer}`) },
          {
            name: "scopes",
            async run() {
              await server.send({ url: `${resourcesUrl}?limit=1`, headers: await authorization() });
              return "API resources can be read";
            },
          },
        ]),
    };
  },
});

/** The server's own spelling of what RFC 7591 has no words for. */
function extensions(client: RemoteClientSpec): Readonly<Record<string, unknown>> {
  const { accessTokenSeconds, refreshTokenSeconds } = client;
  return {
    token_type_extension: "JWT",
    ext_pkce_mandatory: true,
    ext_pkce_support_plain: false,
    ext_public_client: client.tokenEndpointAuthMethod === "none",
    ...(accessTokenSeconds === undefined
      ? {}
      : { ext_application_token_lifetime: accessTokenSeconds, ext_user_token_lifetime: accessTokenSeconds }),
    ...(refreshTokenSeconds === undefined ? {} : { ext_refresh_token_lifetime: refreshTokenSeconds }),
  };
}
