import { z } from "zod";

/** A host, or with `*.` before it every host below it. */
const hostRules = z
  .array(z.string().regex(/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/i, "a host such as agent.example.com, or *.example.com"))
  .max(1_000);

/** Settings of OAuth clients and of the resident key manager. */
export const oauthSettings = z
  .strictObject({
    secretCount: z.int().min(1).max(1_000).optional().meta({
      title: "Secrets of a client",
      description: "Secrets that an OAuth client may have at a time. Absent: as many as it likes.",
    }),
    multipleSecrets: z.boolean().default(true).meta({
      title: "Several secrets",
      description: "`false`: a new secret of a client takes the place of the one before, at once or after an overlap.",
    }),
    expiryWarningDays: z.int().min(0).max(3_650).default(14).meta({
      title: "Expiry warning",
      description: "Days before their end in which API keys and client secrets are warned of.",
    }),
    signingAlgorithm: z.enum(["ES256", "RS256"]).default("ES256").meta({
      title: "Signing algorithm",
      description: "How the resident key manager signs tokens. A change makes a key; tokens of the old one go on.",
    }),
    signingKeyOverlapSeconds: z.int().min(0).max(604_800).default(300).meta({
      title: "Signing key overlap",
      description:
        "Seconds for which a new key of the resident key manager is published before it signs. At most a week.",
    }),
    accessTokenSeconds: z.int().min(60).max(2_592_000).default(3_600).meta({
      title: "Access token lifetime",
      description: "Seconds, for clients of the resident key manager that name none.",
    }),
    refreshTokenSeconds: z.int().min(60).max(31_536_000).default(1_209_600).meta({
      title: "Refresh token lifetime",
      description: "Seconds from each use, for clients of the resident key manager that name none.",
    }),
    dynamicRegistration: z.boolean().optional().meta({
      title: "Dynamic registration",
      description: "Lets clients register themselves (RFC 7591). Absent: in development only.",
    }),
    registeredClients: z.int().min(1).max(1_000_000).default(10_000).meta({
      title: "Registered clients",
      description: "Clients that registered themselves and are there at a time; beyond that none registers (503).",
    }),
    registrationIdleDays: z.int().min(0).max(3_650).default(30).meta({
      title: "Idle registered clients",
      description:
        "Days without a token after which a client that registered itself is deleted, unless an administrator has changed it; never before its tokens could have expired. 0: never.",
    }),
    clientIdDocuments: z.boolean().optional().meta({
      title: "Client id documents",
      description:
        "Lets the https URL of a client's metadata be its client id, as MCP clients have it. Absent: in development only.",
    }),
    clientIdAllowedHosts: hostRules.optional().meta({
      title: "Allowed client id hosts",
      description: "The only hosts whose documents are taken: `agent.example.com`, `*.example.com`. Absent: any.",
    }),
    clientIdDeniedHosts: hostRules.default([]).meta({
      title: "Denied client id hosts",
      description: "Hosts whose documents are not taken, also where the list of allowed ones has them.",
    }),
    tokenPersistence: z.boolean().default(false).meta({
      title: "Token persistence",
      description:
        "Remembers the ids of the access tokens of a grant, so that they end with it. `false`: they live until they expire, unless each is revoked.",
    }),
    revokeOnLogout: z.boolean().default(false).meta({
      title: "Revoke on logout",
      description: "`true`: logging out ends what was granted in the session, with its access tokens.",
    }),
  })
  .prefault({})
  .meta({ title: "OAuth" });
