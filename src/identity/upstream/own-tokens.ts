import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { secretName } from "../../core/api-spec.ts";
import type { ClientCredentialsAuth, ConfiguredClient, TokenExchangeAuth } from "../../core/upstream-auth.ts";
import type { Clock } from "../../kernel/clock.ts";
import { entryLimit } from "../../kernel/entry-limit.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { SecretReader } from "../../pipeline/plugin.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { bareServer, readAuthorizationServer } from "./authorization-server.ts";
import type { UpstreamClient } from "./client-proof.ts";
import type { GivenTokens, RefusedTokens, TokenRequest } from "./request-token.ts";
import { requestToken } from "./request-token.ts";
import type { UpstreamFetch } from "./upstream-fetch.ts";
import { canonicalResource } from "./well-known-urls.ts";

export interface OwnTokenParts {
  readonly auth: ClientCredentialsAuth | TokenExchangeAuth;
  /** The upstream's URL. */
  readonly url: string;
  readonly fetch: UpstreamFetch;
  readonly secrets: SecretReader;
  readonly clock: Clock;
}

/** A token that the gateway may show. */
export interface OwnToken {
  readonly accessToken: string;
  /** Scopes that were asked for. */
  readonly asked: readonly string[];
}

/** Tokens that the gateway gets without a person, kept in memory for as long as they hold. */
export interface OwnTokens {
  /**
   * One for the caller whose own token this is; for all callers where the kind of token needs none. Asked for once, however
   * many wait. Throws `upstream.credentials` where the server refuses the gateway, `auth.forbidden` where it refuses the
   * caller's token or there is none.
   */
  get(callerToken: string | undefined): Promise<OwnToken>;
  /**
   * The upstream has refused this token, and wants these scopes where it says so. True when another one is worth a try:
   * not when one with those scopes, or a new one, was refused already.
   */
  refused(callerToken: string | undefined, token: OwnToken, scopes: readonly string[] | undefined): boolean;
}

interface Kept extends OwnToken {
  readonly untilMs: number;
  readonly gotMs: number;
}

const keptTokens = 10_000;
const mostScopes = 50;
/** A token is not used in its last moments, so much or a tenth of its life: it must be good when it arrives. */
const leewayMs = 30_000;
/** A token that is refused so soon after it was given is no stale one. */
const freshMs = 10_000;
/** Of tokens whose server does not say how long they hold. */
const unknownLifeMs = 300_000;

/** Client credentials (RFC 6749, 4.4) and token exchange (RFC 8693), with the resource named in both. */
export function createOwnTokens(parts: OwnTokenParts): OwnTokens {
  const { auth, clock } = parts;
  const kept = new LRUCache<string, Kept>(entryLimit(keptTokens));
  const running = new Map<string, Promise<Kept>>();
  let wanted: readonly string[] = auth.scopes;
  const source = createSource(parts);
  const start = async (key: string, callerToken: string | undefined): Promise<Kept> => {
    const asked = wanted;
    const given = await source(callerToken, asked);
    const nowMs = clock.now();
    const endMs = given.expiresAtMs ?? nowMs + unknownLifeMs;
    const token: Kept = {
      accessToken: given.accessToken,
      asked,
      gotMs: nowMs,
      untilMs: endMs - Math.min(leewayMs, (endMs - nowMs) / 10),
    };
    kept.set(key, token);
    return token;
  };
  return {
    async get(callerToken) {
      const key = keyOf(auth, callerToken);
      const known = kept.get(key);
      if (known !== undefined && known.untilMs > clock.now()) return known;
      let pending = running.get(key);
      if (pending === undefined) {
        pending = start(key, callerToken).finally(() => running.delete(key));
        running.set(key, pending);
      }
      return pending;
    },
    refused(callerToken, token, scopes) {
      const key = keyOf(auth, callerToken);
      const known = kept.get(key);
      if (known !== undefined && known.accessToken !== token.accessToken) return true; // another call has a newer one
      const more = (scopes ?? []).filter((scope) => !token.asked.includes(scope));
      if (more.length > 0 && wanted.length < mostScopes) {
        wanted = [...new Set([...wanted, ...more])].slice(0, mostScopes);
        kept.delete(key);
        return true;
      }
      if (scopes !== undefined && more.length === 0) return false;
      if (known !== undefined && clock.now() - known.gotMs < freshMs) return false;
      kept.delete(key);
      return true;
    },
  };
}

/** The caller's token itself is not kept. */
function keyOf(auth: OwnTokenParts["auth"], callerToken: string | undefined): string {
  if (auth.type === "client-credentials" || auth.subjectToken !== undefined) return "";
  return createHash("sha256")
    .update(callerToken ?? "")
    .digest("base64url");
}

type Source = (callerToken: string | undefined, scopes: readonly string[]) => Promise<GivenTokens>;

function createSource(parts: OwnTokenParts): Source {
  const { auth, fetch, clock, secrets } = parts;
  const server = rememberServer(parts);
  const resource = auth.resource ?? canonicalResource(parts.url);
  const request = async (
    at: () => Promise<AuthorizationServer>,
    client: ConfiguredClient,
    form: TokenRequest["form"],
    tokenType?: TokenRequest["tokenType"],
  ): Promise<GivenTokens | RefusedTokens> =>
    requestToken(
      {
        server: await at(),
        client: await readClient(client, secrets),
        form,
        ...(tokenType !== undefined && { tokenType }),
      },
      { fetch, nowMs: clock.now() },
    );
  if (auth.type === "client-credentials") {
    return async (_callerToken, scopes) =>
      given(await request(server, auth.client, { grant_type: "client_credentials", resource, scope: listed(scopes) }));
  }
  const { assertAt } = auth;
  const target = assertAt === undefined ? undefined : rememberServer({ ...parts, auth: { issuer: assertAt.issuer } });
  return async (callerToken, scopes) => {
    const subject = auth.subjectToken === undefined ? callerToken : await secrets.read(secretName(auth.subjectToken));
    if (subject === undefined) {
      throw new GatewayError("auth.forbidden", "This server takes callers with an access token only.");
    }
    const form = exchangeForm(auth, subject.trim(), resource, scopes);
    const exchanged = exchangedFor(await request(server, auth.client, form, target && "n_a"));
    if (assertAt === undefined || target === undefined) return exchanged;
    const assertion = { grant_type: jwtBearer, assertion: exchanged.accessToken, resource };
    const asked = listed([...new Set([...assertAt.scopes, ...scopes])]);
    return given(await request(target, assertAt.client, { ...assertion, scope: asked }));
  };
}

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const tokenTypes = "urn:ietf:params:oauth:token-type:";

function exchangeForm(
  auth: TokenExchangeAuth,
  subject: string,
  resource: string,
  scopes: readonly string[],
): TokenRequest["form"] {
  const requested = auth.assertAt === undefined ? auth.requestedTokenType : "id-jag";
  return {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    subject_token: subject,
    subject_token_type: tokenTypes + auth.subjectTokenType,
    requested_token_type: requested === undefined ? undefined : tokenTypes + requested,
    resource,
    audience: auth.audience ?? auth.assertAt?.issuer,
    scope: listed(scopes),
  };
}

/** Metadata is read when it is wanted, and again after ten minutes. */
function rememberServer({
  auth,
  fetch,
  clock,
}: Pick<OwnTokenParts, "fetch" | "clock"> & {
  readonly auth: { readonly issuer?: string | undefined; readonly tokenUrl?: string | undefined };
}): () => Promise<AuthorizationServer> {
  let known: { readonly server: AuthorizationServer; readonly atMs: number } | undefined;
  return async () => {
    const { issuer, tokenUrl } = auth;
    if (tokenUrl !== undefined) return bareServer(tokenUrl, issuer ?? tokenUrl);
    if (known !== undefined && clock.monotonic() - known.atMs < keptMs) return known.server;
    const server = issuer === undefined ? undefined : await readAuthorizationServer(issuer, fetch);
    if (server === undefined) {
      throw new GatewayError("upstream.invalid", "The upstream's authorization server has no metadata.", {
        detail: `${issuer}; a tokenUrl does without`,
      });
    }
    known = { server, atMs: clock.monotonic() };
    return server;
  };
}

const keptMs = 600_000;

/** The configured client with its secrets read. */
export async function readClient(
  { id, secret, privateKey, algorithm, method }: ConfiguredClient,
  secrets: SecretReader,
): Promise<UpstreamClient> {
  const read = async (reference: string): Promise<string> => (await secrets.read(secretName(reference))).trim();
  return {
    clientId: id,
    secret: secret === undefined ? undefined : await read(secret),
    privateKey: privateKey === undefined ? undefined : { text: await read(privateKey), algorithm },
    method,
  };
}

function listed(scopes: readonly string[]): string | undefined {
  return scopes.length === 0 ? undefined : scopes.join(" ");
}

function given(answer: GivenTokens | RefusedTokens): GivenTokens {
  if (answer.type === "tokens") return answer;
  throw new GatewayError(
    "upstream.credentials",
    "The upstream's authorization server refused the gateway's own credentials; the operator must renew them.",
    { detail: answer.error },
  );
}

const callersFault: ReadonlySet<string> = new Set([
  "invalid_grant",
  "invalid_request",
  "access_denied",
  "invalid_target",
]);

function exchangedFor(answer: GivenTokens | RefusedTokens): GivenTokens {
  if (answer.type === "refused" && callersFault.has(answer.error)) {
    throw new GatewayError("auth.forbidden", "Your access token could not be exchanged for one of this server.", {
      detail: answer.error,
    });
  }
  return given(answer);
}
