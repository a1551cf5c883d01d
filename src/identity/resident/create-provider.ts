import type { Client, Context, Model } from "oidc-provider";
import { errors, Provider } from "oidc-provider";
import { authenticateClient, findResidentClient } from "../../core/authenticate-client.ts";
import type { OauthClientRow } from "../../core/identity-tables.ts";
import { compileRedirectUris } from "../../core/redirect-uri.ts";
import { storeRegisteredClient } from "../../core/registered-client.ts";
import type { SigningKeys } from "../../core/signing-keys.ts";
import { addressBlock } from "../../kernel/address-block.ts";
import { takeRate } from "../../pipeline/take-rate.ts";
import { storedMetadata } from "./client-adapter.ts";
import { factsOf } from "./client-facts.ts";
import { addConnectPages } from "./connect.ts";
import { addInteractions } from "./interactions.ts";
import { noteIssued } from "./issued-tokens.ts";
import { createOwnTokens } from "./own-tokens.ts";
import type { ProtectedApis } from "./protected-apis.ts";
import { providerConfiguration } from "./provider-configuration.ts";
import type { ResidentOptions } from "./resident-options.ts";
import { isReached, resourceIndicatorFeature } from "./resource-indicators.ts";
import { addTokenEndpoints } from "./token-endpoints.ts";
import { addTokenExchange } from "./token-exchange.ts";
import { refuseTooLong } from "./token-size.ts";

/** The authorization server with one set of keys. A rotation makes another one: the library's set is fixed. */
export function createProvider(
  options: ResidentOptions,
  keyManagerId: OauthClientRow["keyManagerId"],
  keys: SigningKeys,
  apis: ProtectedApis,
): Provider {
  const { context, issuer } = options;
  const carried = new WeakMap<Model, Readonly<Record<string, unknown>>>();
  const secretIds = new WeakMap<Context, string>();
  const resources = resourceIndicatorFeature(options, keys.active, apis);
  const provider = new Provider(
    issuer,
    providerConfiguration(options, keyManagerId, keys, {
      resources,
      extraTokenClaims: (call, token) => extraClaims(options, call, token, { carried, secretIds }),
    }),
  );
  provider.proxy = true; // the headers are ours: whoever mounts it writes them anew
  provider.silent = true; // Koa's own printing of errors; ours are logged below
  provider.on("server_error", (_call: Context, error: unknown) => {
    context.log.error({ err: error }, "the authorization server failed");
  });
  compareSecretsByHash(provider, options, secretIds);
  const tokens = createOwnTokens(context, issuer, keyManagerId, keys);
  addTokenEndpoints(provider, context, keyManagerId, tokens);
  addTokenExchange(provider, {
    tokens,
    carried,
    apis,
    // Shared APIs are for the client itself, and not for everybody whose token it has.
    isEntitled: ({ kind, name, teamId }, client) => isReached(context, { kind, name, teamId }, client),
    nowMs: () => context.clock.now(),
    resourceInfo: (call, resource) => resources.getResourceServerInfo(call, resource, call.oidc.client),
  });
  addInteractions(provider, options);
  if (options.connect !== undefined) addConnectPages(provider, options, keyManagerId, options.connect);
  explainMissing(provider, issuer);
  return provider;
}

/** A path that nothing answers says where those that do are listed. */
function explainMissing(provider: Provider, issuer: string): void {
  provider.use(async (call, next) => {
    await next();
    if (call.status !== 404 || call.body !== undefined) return;
    call.status = 404;
    call.body = {
      error: "not_found",
      error_description: `there is no such endpoint; those that there are stand in ${issuer}/.well-known/openid-configuration`,
    };
  });
}

interface TokenNotes {
  readonly carried: WeakMap<Model, Readonly<Record<string, unknown>>>;
  readonly secretIds: WeakMap<Context, string>;
}

/** Claims beside the standard ones; and, as it is called once for each token, what has to be noted of it. */
async function extraClaims(
  { context, settings, issuer }: ResidentOptions,
  call: Context,
  token: Model,
  { carried, secretIds }: TokenNotes,
): Promise<Record<string, unknown>> {
  const { client } = call.oidc;
  const secretId = secretIds.get(call);
  const { rowId, environment } = factsOf(client);
  const extra = {
    ...carried.get(token),
    gh_env: environment,
    ...(secretId !== undefined && { gh_sid: secretId }),
  };
  refuseTooLong(issuer, token, extra);
  await noteDocumentClient(context, client);
  const expiresAtMs = context.clock.now() + token.expiration * 1_000;
  if ((settings.tokenPersistence || settings.revokeOnLogout) && token.grantId !== undefined) {
    await noteIssued(context, token.grantId, { jti: token.jti, expiresAtMs });
  }
  if (rowId !== undefined) context.secretUses?.note(rowId, context.clock.now());
  return extra;
}

/** The gateways know only stored clients, so one that came with its document is stored when it gets its first token. */
async function noteDocumentClient(context: ResidentOptions["context"], client: Client): Promise<void> {
  if (client.clientIdMetadataDocument !== true) return;
  const metadata = storedMetadata({
    grant_types: [...client.grantTypes],
    redirect_uris: [...client.redirectUris],
    token_endpoint_auth_method: client.clientAuthMethod,
    application_type: client.applicationType,
    client_uri: client.clientUri,
  });
  const known = await findResidentClient(context, client.clientId);
  if (known !== undefined && JSON.stringify(known.metadata.redirectUris) === JSON.stringify(metadata.redirectUris))
    return;
  await storeRegisteredClient(context, {
    clientId: client.clientId,
    source: "metadata-document",
    displayName: client.clientName ?? client.clientId,
    metadata,
    secretValue: undefined,
  });
}

const failuresPerClient = 20;
const failuresWindowMs = 60_000;

/**
 * A client has many secrets and each is stored as a hash, so the library's comparison with one text is replaced. The
 * secret that was used is remembered for the token's claim. Who fails often from one address has to wait.
 */
function compareSecretsByHash(
  provider: Provider,
  { context, limiter }: ResidentOptions,
  secretIds: WeakMap<Context, string>,
): void {
  const { prototype } = provider.Client;
  prototype.compareClientSecret = async function compare(this: Client, secret: string): Promise<boolean> {
    const call = Provider.ctx;
    const bucket = {
      key: `oauth/client/${addressBlock(call?.ip ?? "")}/${this.clientId}`,
      limit: failuresPerClient,
      windowMs: failuresWindowMs,
    };
    if ((await takeRate(limiter, { ...bucket, amount: 0 })).remaining < 1) throw tooManyFailures();
    const found = await authenticateClient(context, this.clientId, secret);
    if (found === undefined) await takeRate(limiter, { ...bucket, amount: 1 });
    else if (call !== undefined) secretIds.set(call, found.secretId);
    return found !== undefined;
  };
  const compiled = new WeakMap<Client, (uri: string) => boolean>();
  prototype.redirectUriAllowed = function allowed(this: Client, uri: string): boolean {
    let matches = compiled.get(this);
    if (matches === undefined) {
      const { redirectUriPattern } = factsOf(this);
      const { redirectUris, applicationType } = this;
      matches = compileRedirectUris({
        redirectUris,
        applicationType,
        ...(redirectUriPattern !== undefined && { redirectUriPattern }),
      });
      compiled.set(this, matches);
    }
    return matches(uri);
  };
}

/** 429 in OAuth's form. */
export function tooManyFailures(): Error {
  const error = new errors.OIDCProviderError(429, "temporarily_unavailable");
  return Object.assign(error, { error_description: "too many failures; wait a minute, then try again" });
}
