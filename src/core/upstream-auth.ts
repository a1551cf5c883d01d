import { z } from "zod";
import { httpUrlSchema, scopeSchema, secretReferenceSchema } from "./api-spec.ts";

const headerAuth = z
  .strictObject({
    type: z.literal("header").optional(),
    header: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/)
      .default("authorization")
      .meta({ title: "Header" }),
    scheme: z
      .string()
      .max(30)
      .default("Bearer")
      .meta({ title: "Scheme", description: "Put before the secret; may be empty." }),
    secret: secretReferenceSchema,
  })
  .meta({ title: "Header", description: "The same secret with every request: an API key, a token that does not end." });

const clientId = z.string().min(1).max(2_000).meta({
  title: "Client id",
  description: "As the authorization server knows the gateway; the https URL of a client id metadata document is one.",
});

const clientFields = {
  id: clientId,
  secret: secretReferenceSchema.optional(),
  privateKey: secretReferenceSchema
    .optional()
    .meta({ title: "Private key", description: "PKCS #8 in PEM, or a JWK, to sign assertions with (RFC 7523)." }),
  algorithm: z.enum(["ES256", "ES384", "RS256", "PS256", "EdDSA"]).default("ES256").meta({
    title: "Algorithm",
    description: "Of the assertions that the private key signs.",
  }),
  method: z.enum(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]).optional().meta({
    title: "Method",
    description: "How the gateway shows itself at the token endpoint; absent, what the server supports decides.",
  }),
};

const clientSchema = z
  .strictObject(clientFields)
  .refine(({ secret, privateKey }) => secret === undefined || privateKey === undefined, {
    message: "give a secret or a private key, not both",
  })
  .refine(({ method, secret }) => method?.startsWith("client_secret") !== true || secret !== undefined, {
    message: "this method needs a secret",
    path: ["secret"],
  })
  .refine(({ method, privateKey }) => method !== "private_key_jwt" || privateKey !== undefined, {
    message: "this method needs a private key",
    path: ["privateKey"],
  })
  .meta({ title: "Client", description: "The gateway as the authorization server knows it." });

const issuer = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .meta({
    title: "Issuer",
    description: "The authorization server, as its metadata names it. It alone is shown what is written here.",
  });

const scopes = z.array(scopeSchema).max(50).default([]).meta({
  title: "Scopes",
  description: "Asked for at first, beside those that the server says it needs.",
});

const resource = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .optional()
  .meta({
    title: "Resource",
    description: "What tokens are meant for (RFC 8707); the upstream's own URL when absent.",
  });

const tokenUrl = httpUrlSchema.optional().meta({
  title: "Token URL",
  description: "The token endpoint, for servers without metadata.",
});

/** A server that gives tokens for what was configured: by its metadata, or by its token endpoint alone. */
const serverFields = { issuer: issuer.optional(), tokenUrl, client: clientSchema, scopes, resource };
const oneServer = {
  check: (given: { readonly issuer?: string | undefined; readonly tokenUrl?: string | undefined }): boolean =>
    given.issuer !== undefined || given.tokenUrl !== undefined,
  message: "say the `issuer`, or the `tokenUrl` of a server without metadata",
};

const clientCredentialsAuth = z
  .strictObject({ type: z.literal("client-credentials"), ...serverFields })
  .refine(oneServer.check, { message: oneServer.message })
  .meta({ title: "Client credentials", description: "A token for the gateway itself, the same for all callers." });

const authorizationCodeAuth = z
  .strictObject({
    type: z.literal("authorization-code"),
    per: z.enum(["user", "application"]).default("user").meta({
      title: "Per",
      description:
        "Whose account at the upstream is used: that of the user for whom a token speaks, or one of the application.",
    }),
    issuer: issuer.optional(),
    client: clientSchema.optional().meta({
      title: "Client",
      description:
        "Where the gateway was registered beforehand; absent, it shows its metadata document, or registers itself.",
    }),
    scopes,
  })
  .refine(({ client, issuer: at }) => client === undefined || at !== undefined || isDocumentId(client), {
    message: "say the `issuer` at which this client is registered: it must be shown to no other",
    path: ["issuer"],
  })
  .meta({
    title: "Authorization code",
    description: "Each user or application consents once, and calls with tokens of their own.",
  });

const subjectTokenTypes = ["access_token", "id_token", "refresh_token", "jwt"] as const;

const tokenExchangeAuth = z
  .strictObject({
    type: z.literal("token-exchange"),
    ...serverFields,
    subjectToken: secretReferenceSchema.optional().meta({
      title: "Subject token",
      description: "Absent: the access token with which the caller has come. Else a token that is kept in the vault.",
      secret: true,
    }),
    subjectTokenType: z.enum(subjectTokenTypes).default("access_token").meta({ title: "Subject token type" }),
    requestedTokenType: z.enum(["access_token", "jwt"]).optional().meta({ title: "Requested token type" }),
    audience: z.string().min(1).max(1_000).optional().meta({
      title: "Audience",
      description: "Named in the exchange, for servers that know targets by names of their own.",
    }),
    assertAt: z.strictObject({ issuer, client: clientSchema, scopes }).optional().meta({
      title: "Assert at",
      description:
        "The exchange gives an identity assertion (ID-JAG), and this server a token for it (RFC 7523): cross-app access.",
    }),
  })
  .refine(oneServer.check, { message: oneServer.message })
  .meta({
    title: "Token exchange",
    description:
      "The caller's token is exchanged for one that the upstream takes (RFC 8693). It never goes there itself.",
  });

/** What the gateway shows to an upstream MCP server. */
export const upstreamAuthSchema = z
  .discriminatedUnion("type", [headerAuth, clientCredentialsAuth, authorizationCodeAuth, tokenExchangeAuth])
  .meta({ title: "Credential", description: "What the gateway shows to the upstream; never the client's own." });

export type UpstreamAuth = z.output<typeof upstreamAuthSchema>;
export type HeaderAuth = z.output<typeof headerAuth>;
export type ClientCredentialsAuth = z.output<typeof clientCredentialsAuth>;
export type AuthorizationCodeAuth = z.output<typeof authorizationCodeAuth>;
export type TokenExchangeAuth = z.output<typeof tokenExchangeAuth>;
/** The gateway as a client, as the operator has written it down. */
export type ConfiguredClient = z.output<typeof clientSchema>;

/** The URL of a metadata document is no credential: any server may be shown it. */
export function isDocumentId({ id, secret, privateKey }: ConfiguredClient): boolean {
  return secret === undefined && privateKey === undefined && id.startsWith("https://");
}
