import type { Client, Context, Model } from "oidc-provider";
import { errors } from "oidc-provider";
import type { OauthClientRow } from "../../core/identity-tables.ts";
import type { SigningKeys } from "../../core/signing-keys.ts";
import { addressBlock } from "../../kernel/address-block.ts";
import { takeRate } from "../../pipeline/take-rate.ts";
import { createClientAdapter } from "./client-adapter.ts";
import { createDocumentFetch, createDocumentGate } from "./client-documents.ts";
import { factsOf } from "./client-facts.ts";
import { revokeIssued } from "./issued-tokens.ts";
import type { Page } from "./page.ts";
import { logOutPage, messagePage } from "./pages.ts";
import { registrationFeature } from "./registration.ts";
import type { ResidentOptions } from "./resident-options.ts";
import type { ResourceIndicatorFeature } from "./resource-indicators.ts";
import { createStateAdapter } from "./state-adapter.ts";

export interface ConfigurationHooks {
  readonly resources: ResourceIndicatorFeature;
  extraTokenClaims(call: Context, token: Model): Promise<Record<string, unknown>>;
}

/** Everything that the library is told. What is not listed is off. */
export function providerConfiguration(
  options: ResidentOptions,
  keyManagerId: OauthClientRow["keyManagerId"],
  { active, others }: SigningKeys,
  hooks: ConfigurationHooks,
): Readonly<Record<string, unknown>> {
  const { context, settings, issuer } = options;
  const grantEnded = (grantId: string): Promise<void> => revokeIssued(context, keyManagerId, grantId);
  const clients = createClientAdapter(options, active.alg);
  return {
    adapter: (model: string) => (model === "Client" ? clients : createStateAdapter(context, model, grantEnded)),
    jwks: { keys: [active, ...others].map(({ privateJwk }) => privateJwk) },
    routes: {
      authorization: "/authorize",
      end_session: "/logout",
      introspection: "/introspect",
      jwks: "/jwks",
      pushed_authorization_request: "/par",
      registration: "/register",
      revocation: "/revoke",
      token: "/token",
      userinfo: "/userinfo",
    },
    features: features(options, hooks),
    fetch: createDocumentFetch(options.fetch),
    responseTypes: ["code"],
    scopes: ["openid", "offline_access", "profile", "email"],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "none"],
    clientDefaults: { id_token_signed_response_alg: active.alg },
    enabledJWA: { idTokenSigningAlgValues: ["ES256", "RS256"] },
    extraClientMetadata: { properties: ["gatehouse"] },
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: {
      required: () => true,
    },
    clientBasedCORS: (_call: Context, origin: string, client: Client) =>
      client.clientAuthMethod === "none" && client.redirectUris.some((uri) => URL.parse(uri)?.origin === origin),
    cookies: cookies(options),
    ttl: lifetimes(options),
    rotateRefreshToken: true,
    issueRefreshToken: async (_call: Context, client: Client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: async () => settings.revokeOnLogout,
    extraTokenClaims: hooks.extraTokenClaims,
    findAccount: (_call: Context, id: string) => findAccount(options, id),
    interactions: {
      url: async (_call: Context, { uid }: { readonly uid: string }) =>
        `${new URL(issuer).pathname}/interaction/${uid}`,
    },
    renderError: async (call: Context, out: Readonly<Record<string, string>>) => {
      const text = out["error_description"] ?? out["error"] ?? "The request cannot be answered.";
      send(call, messagePage("That did not work", `${text} (${out["error"] ?? "error"})`));
    },
  };
}

const documentsPerAddress = { limit: 30, windowMs: 60_000 };

/** Takes one of the documents that an address may have fetched in a while; false when there is none left. */
async function mayFetchDocument({ limiter }: ResidentOptions, ip: string): Promise<boolean> {
  const key = `oauth/document/${addressBlock(ip)}`;
  return (await takeRate(limiter, { key, ...documentsPerAddress, amount: 1 })).allowed;
}

function features(options: ResidentOptions, { resources }: ConfigurationHooks): Readonly<Record<string, unknown>> {
  const { settings } = options;
  const isAdmitted = createDocumentGate(options);
  const ownTokenOnly = (_call: Context, client: Client, token: Model) => token.clientId === client.clientId;
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false }, // the gateways do not check proofs, and a bound token that is taken unbound is a lie
    clientCredentials: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (call: Context, client: Client, token: Model) =>
        client.clientAuthMethod !== "none" || ownTokenOnly(call, client, token),
    },
    revocation: {
      enabled: true,
      allowedPolicy: (call: Context, client: Client, token: Model) => {
        if (ownTokenOnly(call, client, token)) return true;
        if (client.clientAuthMethod === "none") return false;
        throw new errors.InvalidRequest("the token was issued to another client");
      },
    },
    resourceIndicators: resources,
    registration: registrationFeature(settings.dynamicRegistration),
    clientIdMetadataDocument: {
      enabled: settings.clientIdDocuments,
      ack: "draft-02",
      allowFetch: async (call: Context, id: string) =>
        (await isAdmitted(id)) && (await mayFetchDocument(options, call.ip)),
      allowClient: (_call: Context, client: Client) => isAdmitted(client.clientId), // also of one whose document is kept
      cacheDuration: { min: 60, max: 86_400 },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: async (call: Context, form: string) => send(call, logOutPage({ html: form })), // made by the library of a URL and a random value
      postLogoutSuccessSource: async (call: Context) =>
        send(call, messagePage("Logged out", "You can close this page.")),
    },
  };
}

function cookies({ issuer, cookieKey }: ResidentOptions): Readonly<Record<string, unknown>> {
  const isSecure = issuer.startsWith("https:");
  // `__Host-` is bound to this host and to TLS; the other two have a narrower path than it allows.
  const names = isSecure
    ? { session: "__Host-gh_session", interaction: "__Secure-gh_step", resume: "__Secure-gh_resume" }
    : { session: "gh_session", interaction: "gh_step", resume: "gh_resume" };
  const each = { httpOnly: true, sameSite: "lax", secure: isSecure, signed: true };
  return { names, long: { ...each, path: "/" }, short: each, keys: [cookieKey.export()] };
}

const minuteSeconds = 60;
const daySeconds = 86_400;

function lifetimes({ settings }: ResidentOptions): Readonly<Record<string, unknown>> {
  const accessToken = (_call: Context, token: Model): number =>
    token.resourceServer?.accessTokenTTL ?? settings.accessTokenSeconds;
  return {
    AccessToken: accessToken,
    ClientCredentials: accessToken,
    AuthorizationCode: minuteSeconds,
    IdToken: 60 * minuteSeconds,
    Interaction: 10 * minuteSeconds,
    Session: daySeconds,
    RefreshToken: (_call: Context, _token: Model, client: Client) =>
      factsOf(client).refreshTokenSeconds ?? settings.refreshTokenSeconds,
    Grant: 366 * daySeconds, // longer than any refresh token; however often it is rotated, consent is asked for again then
  };
}

async function findAccount({ context }: ResidentOptions, id: string) {
  const user = await context.catalog.read.users.findById(id);
  if (user === undefined || user.disabled) return undefined;
  return {
    accountId: user.id,
    claims: async () => ({
      sub: user.id,
      preferred_username: user.name,
      name: user.displayName ?? user.name,
      ...(user.email !== null && { email: user.email }),
    }),
  };
}

function send(call: Context, { body, headers }: Page): void {
  for (const [name, value] of Object.entries(headers)) call.set(name, value);
  call.body = body;
}
