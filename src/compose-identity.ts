import { createUpstreamConsent } from "./compose-upstream-consent.ts";
import type { Config } from "./config.ts";
import type { CoreContext } from "./core/core-context.ts";
import type { LoginGate } from "./core/login-gate.ts";
import { createLoginGate } from "./core/login-gate.ts";
import type { PlaneMessage } from "./core/plane-message.ts";
import { announceSigningKeys } from "./core/signing-keys.ts";
import type { UpstreamTokens } from "./core/upstream-tokens.ts";
import { verifyPassword } from "./core/users.ts";
import type { AuthRoutes } from "./gateway/auth-routes.ts";
import { createAuthRoutes } from "./gateway/auth-routes.ts";
import type { ResidentServer } from "./identity/resident/resident-server.ts";
import type { SsoClient } from "./identity/sso/sso-client.ts";
import { createSsoClient } from "./identity/sso/sso-client.ts";
import { createSsoStates } from "./identity/sso/sso-state.ts";
import { createCidrSet } from "./kernel/cidr-set.ts";
import { deriveKey } from "./kernel/crypto.ts";
import type { NetworkPolicy } from "./kernel/network-policy.ts";
import { createLazyFetch } from "./lazy-fetch.ts";
import type { SecretReader } from "./pipeline/plugin.ts";
import { createMemoryLimiter } from "./store/memory/limiter.ts";

/** The resident key manager of this process: its endpoints, and what it has to hear. */
export interface IdentityParts extends AsyncDisposable {
  /** Where tokens come from; undefined until `open` was called. */
  issuer(): string | undefined;
  /** The endpoints, once it is known where clients reach the gateway; and tells the gateways who signs. */
  open(publicUrl: string): Promise<AuthRoutes>;
  apply(message: PlaneMessage): void;
  /** Tokens for upstreams that people have consented to, out of the vault. */
  readonly upstreamTokens: UpstreamTokens;
  /** Signs people in to the control plane with key managers. */
  readonly sso: SsoClient;
}

/** What the identity part of a process needs of the others. */
export interface IdentityNeeds {
  context(): CoreContext;
  readonly network: NetworkPolicy;
  readonly secrets: SecretReader;
}

const maxLimiterKeys = 100_000;

/**
 * Builds the resident key manager. Its library is loaded and its first key made at the first request for it: a gateway
 * whose callers have API keys carries nothing of it.
 */
export function composeIdentity(config: Config, { context, network, secrets }: IdentityNeeds): IdentityParts {
  const fetch = createLazyFetch(network);
  let issuer: string | undefined;
  const upstream = createUpstreamConsent({
    context,
    secrets,
    fetch,
    httpsOnly: config.env === "production",
    issuer: () => issuer,
  });
  let server: Promise<ResidentServer> | undefined;
  let gate: LoginGate | undefined;
  const start = async (publicUrl: string, at: string): Promise<ResidentServer> => {
    const loginGate = (gate ??= createLoginGate(context().clock));
    const { createResidentServer } = await import("./identity/resident/resident-server.ts");
    return createResidentServer({
      context: context(),
      issuer: at,
      publicUrl,
      settings: residentSettings(config),
      cookieKey: deriveKey(context().pepper.key, "gatehouse/auth-cookies"),
      fetch,
      connect: (await upstream()).pages,
      limiter: createMemoryLimiter({ clock: context().clock, maxKeys: maxLimiterKeys }),
      verifyLogin: (name, password, ip) =>
        // A gate of its own: whoever guesses here keeps nobody out of the control plane.
        verifyPassword({ ...context(), loginGate }, name, password, { requestId: "", clientAddress: ip }),
    });
  };
  let client: SsoClient | undefined;
  const sso = (): SsoClient => {
    const { clock, pepper } = context();
    client ??= createSsoClient({
      fetch,
      clock,
      states: createSsoStates(deriveKey(pepper.key, "gatehouse/sso"), clock),
    });
    return client;
  };
  return {
    sso: {
      begin: (at, returnTo) => sso().begin(at, returnTo),
      finish: (at, kept, answer) => sso().finish(at, kept, answer),
    },
    issuer: () => issuer,
    upstreamTokens: { ask: async (question, signal) => (await upstream()).broker.ask(question, signal) },
    async open(publicUrl) {
      const at = `${publicUrl}/auth`;
      issuer = at;
      await announceSigningKeys(context(), config.oauth.signingAlgorithm);
      return createAuthRoutes({
        issuer: at,
        trustedProxies: createCidrSet(config.trustedProxies),
        log: context().log,
        load: () => {
          server ??= start(publicUrl, at).catch((error: unknown) => {
            server = undefined; // the next request tries again
            throw error;
          });
          return server;
        },
      });
    },
    apply(message) {
      void server?.then((started) => started.apply(message)).catch(() => {}); // told to whoever asked for it
    },
    [Symbol.asyncDispose]: () => fetch[Symbol.asyncDispose](),
  };
}

function residentSettings({ oauth, env }: Config) {
  const { signingAlgorithm, accessTokenSeconds, refreshTokenSeconds, tokenPersistence, revokeOnLogout } = oauth;
  return {
    signingAlgorithm,
    accessTokenSeconds,
    refreshTokenSeconds,
    tokenPersistence,
    revokeOnLogout,
    mostRegisteredClients: oauth.registeredClients,
    clientIdDocuments: oauth.clientIdDocuments ?? env !== "production",
    documentHosts: { allowed: oauth.clientIdAllowedHosts, denied: oauth.clientIdDeniedHosts },
    dynamicRegistration: oauth.dynamicRegistration ?? env !== "production",
  };
}
