import type { Context, Model, Provider, ResourceServerInfo } from "oidc-provider";
import { errors } from "oidc-provider";
import { maxTokenLength } from "../jwt-check.ts";
import type { ClientFacts } from "./client-facts.ts";
import { factsOf } from "./client-facts.ts";
import type { OwnClaims, OwnTokens } from "./own-tokens.ts";
import type { ProtectedApi, ProtectedApis } from "./protected-apis.ts";
import { baseScope } from "./resource-indicators.ts";

export const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const accessTokenType = "urn:ietf:params:oauth:token-type:access_token";
const jwtType = "urn:ietf:params:oauth:token-type:jwt";
const parameters = [
  "subject_token",
  "subject_token_type",
  "actor_token",
  "requested_token_type",
  "audience",
  "resource",
  "scope",
];

export interface ExchangeParts {
  readonly tokens: OwnTokens;
  /** What an API's tokens are like; throws `invalid_target` for one that is not there. */
  resourceInfo(context: Context, resource: string): Promise<ResourceServerInfo>;
  readonly apis: Pick<ProtectedApis, "find">;
  /** Whether an API is of the client's team, or its application is subscribed to it. */
  isEntitled(api: ProtectedApi, client: ClientFacts): Promise<boolean>;
  nowMs(): number;
  /** Claims that the new token carries beside those of every token. */
  readonly carried: WeakMap<Model, Readonly<Record<string, unknown>>>;
}

/**
 * Token exchange (RFC 8693): a client that has a token of somebody gets one for another API, in that somebody's name. The
 * first token must have been issued to the client or for an API of its team; the new one is for an API of its team or one
 * that it is subscribed to, with scopes of the first one only. Claims about the subject go along as they are, lists as
 * lists; `act` says who acts. Never outlives the first token, dies with it, and never leads from the sandbox to
 * production.
 */
export function addTokenExchange(provider: Provider, parts: ExchangeParts): void {
  provider.registerGrantType(exchangeGrant, (context) => exchange(provider, parts, context), parameters, []);
}

async function exchange(provider: Provider, parts: ExchangeParts, context: Context): Promise<void> {
  const { client, params = {} } = context.oidc;
  const subject = await subjectOf(parts, params);
  const facts = factsOf(client);
  if (client.clientAuthMethod === "none") throw new errors.InvalidClient("a public client exchanges no tokens");
  if ((subject.gh_env ?? "production") !== facts.environment) {
    throw new errors.InvalidRequest("the token and the client are of different environments");
  }
  if (!(await isOfClient(parts, subject, client.clientId, facts))) {
    throw new errors.InvalidGrant("the subject token was neither issued to this client nor for an API of its team");
  }
  const resource = resourceOf(params);
  const target = await parts.apis.find(resource);
  if (target === undefined || !(await parts.isEntitled(target, facts))) {
    throw new errors.InvalidTarget("no API to which this client may exchange tokens is reached at this resource");
  }
  const info = await parts.resourceInfo(context, resource);
  const remaining = subject.exp - Math.floor(parts.nowMs() / 1_000);
  const expiresIn = Math.min(info.accessTokenTTL ?? remaining, remaining);
  if (expiresIn <= 0) throw new errors.InvalidGrant("the subject token is over");
  const token = new provider.AccessToken({ client, accountId: subject.sub, gty: "token-exchange", expiresIn });
  Object.assign(token, {
    resourceServer: new provider.ResourceServer(resource, info),
    scope: scopesOf(info, subject.scope ?? "", params["scope"]),
  });
  parts.carried.set(token, {
    ...carriedClaims(subject),
    act: actorOf(client.clientId, subject["act"]),
    gh_from: [...(subject.gh_from ?? []), originOf(subject)],
  });
  const value = await token.save();
  if (value.length > maxTokenLength)
    throw new errors.InvalidRequest("the new token would be too long for the gateways");
  context.set("cache-control", "no-store");
  context.body = {
    access_token: value,
    issued_token_type: accessTokenType,
    token_type: "Bearer",
    expires_in: expiresIn,
    scope: token.scope === "" ? undefined : token.scope,
  };
}

async function isOfClient(
  { apis }: ExchangeParts,
  subject: OwnClaims,
  clientId: string,
  { teamId }: ClientFacts,
): Promise<boolean> {
  if (subject.client_id === clientId) return true;
  return teamId !== undefined && (await apis.find(subject.aud))?.teamId === teamId;
}

async function subjectOf({ tokens }: ExchangeParts, params: Readonly<Record<string, unknown>>) {
  const { subject_token: token, subject_token_type: type, actor_token: actor, requested_token_type: wanted } = params;
  if (typeof token !== "string") throw new errors.InvalidRequest("missing required parameter(s) subject_token");
  if (type !== accessTokenType && type !== jwtType) {
    throw new errors.InvalidRequest(`subject_token_type must be ${accessTokenType} or ${jwtType}`);
  }
  if (actor !== undefined)
    throw new errors.InvalidRequest("actor_token is not supported: the client itself is the actor");
  if (wanted !== undefined && wanted !== accessTokenType && wanted !== jwtType) {
    throw new errors.InvalidRequest(`requested_token_type must be ${accessTokenType}`);
  }
  const claims = await tokens.read(token);
  if (claims === undefined) throw new errors.InvalidRequest("the subject token is not valid");
  return claims;
}

function resourceOf({ resource, audience }: Readonly<Record<string, unknown>>): string {
  const target = resource ?? audience;
  if (typeof target !== "string") throw new errors.InvalidTarget("name one API with the parameter resource");
  if (resource !== undefined && audience !== undefined && resource !== audience) {
    throw new errors.InvalidTarget("resource and audience name two APIs");
  }
  return target;
}

// What was agreed to for the first token is all that there is: another API's scopes of other names are not among it.
function scopesOf({ scope: known }: ResourceServerInfo, granted: string, asked: unknown): string {
  const held = granted.split(" ");
  const offered = known.split(" ").filter((scope) => scope === baseScope || held.includes(scope));
  if (typeof asked !== "string" || asked === "") return offered.filter((scope) => scope !== baseScope).join(" ");
  const unknown = asked.split(" ").filter((scope) => !offered.includes(scope));
  if (unknown.length > 0)
    throw new errors.InvalidScope(
      "the API has no such scope, the first token has it not, or the client may not ask for it",
      unknown.join(" "),
    );
  return asked;
}

/** Claims about a token, not about its subject. */
const ownClaims: ReadonlySet<string> = new Set(
  "iss sub aud exp nbf iat jti client_id azp scope act cnf sid nonce at_hash c_hash auth_time acr amr gh_sid gh_env gh_from".split(
    " ",
  ),
);

function carriedClaims(subject: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(subject).filter(([name]) => !ownClaims.has(name)));
}

/** What the first token would be revoked by. */
function originOf({ jti, client_id, gh_sid }: OwnClaims) {
  return { jti, client_id, ...(gh_sid !== undefined && { gh_sid }) };
}

const longestChain = 5;

function actorOf(clientId: string, before: unknown): Record<string, unknown> {
  let depth = 0;
  for (let at = before; typeof at === "object" && at !== null; at = Reflect.get(at, "act")) depth += 1;
  if (depth >= longestChain) throw new errors.InvalidRequest("the token has gone through too many hands");
  return { sub: clientId, ...(depth > 0 && { act: before }) };
}
