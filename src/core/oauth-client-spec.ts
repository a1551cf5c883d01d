import { z } from "zod";
import { environmentSchema } from "./environment.ts";
import type { OauthClientMetadata } from "./identity-tables.ts";
import { residentName } from "./key-manager.ts";
import type { NamedOauthClient } from "./oauth-client-names.ts";
import { redirectPatternIssue, redirectUriIssue } from "./redirect-uri.ts";
import { apiVersion, nameSchema } from "./resource.ts";
import { readOnlyMetadata } from "./resource-document.ts";
import { maxAccessTokenSeconds } from "./revocations.ts";

/** The grants that a client may be allowed. */
export const grantTypeSchema = z.enum([
  "client_credentials",
  "authorization_code",
  "refresh_token",
  "urn:ietf:params:oauth:grant-type:token-exchange",
]);

const lifetime = (maximum: number) => z.int().min(60).max(maximum).optional();

const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/; // RFC 6749, 3.3

/** What may be changed of a client. */
const changing = {
  displayName: z.string().max(200).optional().meta({ title: "Display name", description: "Shown on consent pages." }),
  grantTypes: z
    .array(grantTypeSchema)
    .min(1)
    .max(4)
    .default(["client_credentials"])
    .meta({ title: "Grants", description: "How it may get tokens." }),
  redirectUris: z
    .array(z.string().min(1).max(2_000))
    .max(50)
    .default([])
    .meta({ title: "Redirect URIs", description: "Match character for character; no wildcards." }),
  redirectUriPattern: z.string().max(1_000).optional().meta({
    title: "Redirect URI pattern",
    description: "RE2, matched as a whole, beside the literal ones: `https://pr-[0-9]+\\.example\\.com/callback`.",
  }),
  applicationType: z
    .enum(["web", "native"])
    .default("web")
    .meta({ title: "Type", description: "`native` may use loopback on any port and schemes of its own (RFC 8252)." }),
  tokenEndpointAuthMethod: z
    .enum(["client_secret_basic", "client_secret_post", "none"])
    .default("client_secret_basic")
    .meta({ title: "Authentication", description: "`none` is a public client: it has no secrets." }),
  scopes: z
    .array(z.string().regex(scopeForm, "printable ASCII without spaces, quotes and backslashes"))
    .max(200)
    .optional()
    .meta({ title: "Scopes", description: "What it may ask for; everything when absent." }),
  accessTokenSeconds: lifetime(maxAccessTokenSeconds).meta({
    title: "Access token lifetime",
    description: "Seconds; the key manager's own when absent. At most 30 days.",
  }),
  refreshTokenSeconds: lifetime(31_536_000).meta({
    title: "Refresh token lifetime",
    description: "Seconds; the key manager's own when absent. At most a year.",
  }),
};

type ChangingSpec = z.output<z.ZodObject<typeof changing>>;

/** The `spec` of a new client. */
export const oauthClientSchema = z
  .strictObject({
    environment: environmentSchema.meta({
      title: "Environment",
      description: "Which upstream its tokens lead to; they never reach the other.",
    }),
    keyManager: nameSchema
      .default(residentName)
      .meta({ title: "Key manager", description: "Who issues its tokens; fixed at creation." }),
    clientId: z
      .string()
      .regex(/^[\x21-\x7e]{1,256}$/, "printable ASCII without spaces, at most 256 characters")
      .optional()
      .meta({
        title: "Client id",
        description: "Of a client that is there already at a key manager elsewhere; absent, a client is made.",
      }),
    ...changing,
  })
  .superRefine((spec, issues) => reportIssues(spec, issues));

/** The `spec` of a changed client; what is fixed may be repeated. What is absent goes back to its default. */
export const oauthClientChangeSchema = z
  .strictObject({
    environment: environmentSchema.optional(),
    keyManager: nameSchema.optional(),
    clientId: z.string().max(2_048).optional(),
    ...changing,
  })
  .superRefine((spec, issues) => reportIssues(spec, issues));

export type OauthClientSpec = z.output<typeof oauthClientSchema>;

/** How long a secret is good for; for ever when absent. At most 100 years. */
const expiresInSeconds = z
  .int()
  .min(1)
  .max(3_153_600_000)
  .optional()
  .meta({ title: "Expires in", description: "Seconds from now; never when absent." });

/** The body of a request for a secret. */
export const clientSecretSchema = z.strictObject({
  description: z.string().max(500).optional().meta({ title: "Description" }),
  expiresInSeconds,
  overlapSeconds: z.int().min(0).max(2_592_000).optional().meta({
    title: "Overlap",
    description: "Rotates: the secrets before this one end so many seconds from now. At most 30 days; 0 is at once.",
  }),
});

export type ClientSecretInput = z.output<typeof clientSecretSchema>;

const document = {
  apiVersion: z.literal(apiVersion).optional(),
  kind: z.literal("OauthClient").optional(),
};

const metadata = z.strictObject({
  name: nameSchema.optional().meta({ title: "Name", description: "Unique in the application; made up when absent." }),
  ...readOnlyMetadata,
  team: nameSchema.optional(),
});

/** The body of a request for a client. `secret` is about its first secret. */
export const oauthClientDocumentSchema = z
  .strictObject({
    ...document,
    metadata: metadata.prefault({}),
    spec: oauthClientSchema,
    secret: clientSecretSchema.omit({ overlapSeconds: true }).optional(),
  })
  .meta({
    examples: [
      { metadata: { name: "backend" }, spec: { environment: "production" } },
      {
        metadata: { name: "portal" },
        spec: {
          environment: "production",
          grantTypes: ["authorization_code", "refresh_token"],
          redirectUris: ["https://portal.example.com/callback"],
        },
        secret: { description: "first", expiresInSeconds: 7_776_000 },
      },
    ],
  });

/** The body of a change to a client; what a reader was shown beside it may stay in it. */
export const oauthClientChangeDocumentSchema = z.strictObject({
  ...document,
  metadata: metadata.extend({ application: nameSchema.optional() }).optional(),
  spec: oauthClientChangeSchema,
  status: z.unknown().optional(),
});

/** What an authorization server is told of a client with this `spec`. */
export function clientMetadata(spec: ChangingSpec): OauthClientMetadata {
  return {
    ...(spec.displayName === undefined ? {} : { displayName: spec.displayName }),
    grantTypes: spec.grantTypes,
    redirectUris: spec.redirectUris,
    ...(spec.redirectUriPattern === undefined ? {} : { redirectUriPattern: spec.redirectUriPattern }),
    tokenEndpointAuthMethod: spec.tokenEndpointAuthMethod,
    ...(spec.scopes === undefined ? {} : { scopes: spec.scopes }),
    tokenLifetimes: {
      ...(spec.accessTokenSeconds === undefined ? {} : { accessTokenSeconds: spec.accessTokenSeconds }),
      ...(spec.refreshTokenSeconds === undefined ? {} : { refreshTokenSeconds: spec.refreshTokenSeconds }),
    },
    applicationType: spec.applicationType,
  };
}

/** A client as it may be shown: without any secret. */
export function oauthClientView(row: NamedOauthClient) {
  const { metadata: stored } = row;
  return {
    apiVersion,
    kind: "OauthClient" as const,
    metadata: {
      name: row.name,
      application: row.application,
      team: row.team,
      id: row.id as string,
      version: row.version,
      createdAt: new Date(row.createdAtMs).toISOString(),
      updatedAt: new Date(row.updatedAtMs).toISOString(),
    },
    spec: {
      ...(stored.displayName === undefined ? {} : { displayName: stored.displayName }),
      environment: row.environment,
      keyManager: row.keyManager,
      clientId: row.clientId,
      grantTypes: stored.grantTypes,
      redirectUris: stored.redirectUris,
      ...(stored.redirectUriPattern === undefined ? {} : { redirectUriPattern: stored.redirectUriPattern }),
      applicationType: stored.applicationType,
      tokenEndpointAuthMethod: stored.tokenEndpointAuthMethod,
      ...(stored.scopes === undefined ? {} : { scopes: stored.scopes }),
      ...stored.tokenLifetimes,
    },
    status: { source: row.source, disabled: row.disabled },
  };
}

function reportIssues(spec: ChangingSpec, context: z.core.$RefinementCtx): void {
  const report = (path: readonly PropertyKey[], message: string): void =>
    context.addIssue({ code: "custom", path: [...path], message });
  spec.redirectUris.forEach((uri, index) => {
    const issue = redirectUriIssue(uri, spec.applicationType);
    if (issue !== undefined) report(["redirectUris", index], issue);
  });
  if (new Set(spec.redirectUris).size < spec.redirectUris.length) report(["redirectUris"], "the same one twice");
  const patternIssue =
    spec.redirectUriPattern === undefined ? undefined : redirectPatternIssue(spec.redirectUriPattern);
  if (patternIssue !== undefined) report(["redirectUriPattern"], patternIssue);
  const grants = new Set(spec.grantTypes);
  const hasRedirect = spec.redirectUris.length > 0 || spec.redirectUriPattern !== undefined;
  if (grants.has("authorization_code") && !hasRedirect) {
    report(["redirectUris"], "authorization_code needs a redirect URI");
  }
  if (grants.has("refresh_token") && !grants.has("authorization_code")) {
    report(["grantTypes"], "refresh_token comes with authorization_code");
  }
  if (spec.tokenEndpointAuthMethod !== "none") return;
  const confidential = (["client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange"] as const).find(
    (grant) => grants.has(grant),
  );
  if (confidential !== undefined) report(["grantTypes"], `${confidential} is not for a client without a secret`);
}
