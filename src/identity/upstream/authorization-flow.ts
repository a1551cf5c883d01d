import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Actor } from "../../core/core-context.ts";
import type { UpstreamCredentialRow } from "../../core/upstream-tables.ts";
import { holderKey } from "../../core/upstream-tables.ts";
import { storeUpstreamCredential } from "../../core/upstream-vault.ts";
import { equalInConstantTime } from "../../kernel/crypto.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { ConsentTicket } from "./consent-ticket.ts";
import type { DeployedUpstream } from "./deployed-upstream.ts";
import { deployedUpstream } from "./deployed-upstream.ts";
import type { UpstreamProtection } from "./discover-upstream.ts";
import { discoverUpstream } from "./discover-upstream.ts";
import { clientAt, forgetClient, knownClient } from "./own-client.ts";
import { serverOf } from "./renew-tokens.ts";
import { requestToken } from "./request-token.ts";
import type { BrokerParts } from "./upstream-broker.ts";
import { ownClientParts } from "./upstream-broker.ts";

/** What a person is asked to consent to. */
export interface ConsentPlan {
  readonly ticket: ConsentTicket;
  readonly upstream: DeployedUpstream;
  readonly protection: UpstreamProtection;
  readonly scopes: readonly string[];
  /** What the holder has there already and is as good: only the client has to be allowed. */
  readonly present: UpstreamCredentialRow | undefined;
}

/** Where to send the browser, and what it has to bring back. */
export interface StartedAuthorization {
  readonly url: string;
  /** Names the flow, so that several run in one browser. */
  readonly id: string;
  /** For a cookie of this browser. */
  readonly sealed: string;
}

/** Gets people's tokens from upstream servers: authorization code with PKCE, resource and issuer checks. */
export interface AuthorizationFlow {
  /**
   * Finds out what the consent is about. Undefined when the API has no such upstream any more. Throws `upstream.…` where
   * the upstream or its authorization server cannot be used.
   */
  plan(ticket: ConsentTicket): Promise<ConsentPlan | undefined>;
  /** Throws `upstream.…` where the gateway cannot become a client of the server. */
  begin(plan: ConsentPlan, userId: string): Promise<StartedAuthorization>;
  /**
   * Takes the server's answer and puts the tokens into the vault; gives the API's title. Throws `auth.forbidden` for an
   * answer that is not to what this browser and user have begun, that names another issuer, that comes twice, or that
   * says no; `upstream.…` where no tokens come.
   */
  finish(sealed: string | undefined, answer: URLSearchParams, user: Actor): Promise<string>;
}

/** How long somebody may take at the server, in milliseconds. */
export const authorizationMs = 600_000;
const place = "upstream-authorization";
const maxUsed = 10_000;
const mostScopes = 50;
/** What browsers take, with the name and the attributes. */
const longestCookie = 3_600;

const stateSchema = z.strictObject({
  state: z.string(),
  verifier: z.string(),
  userId: z.string(),
  apiId: z.string(),
  environment: z.enum(["production", "sandbox"]),
  holder: z.union([
    z.strictObject({ type: z.literal("user"), keyManagerId: z.string(), subject: z.string() }),
    z.strictObject({ type: z.literal("application"), applicationId: z.string() }),
  ]),
  client: z.string(),
  issuer: z.string(),
  namesItself: z.boolean(),
  clientId: z.string(),
  resource: z.string(),
  scopes: z.array(z.string()),
  untilMs: z.number(),
});

type State = z.output<typeof stateSchema>;

/** The flow on these parts; answers that were taken are remembered here, as each is good once. */
export function createAuthorizationFlow(parts: BrokerParts): AuthorizationFlow {
  const used = new Map<string, number>();
  const useOnce = ({ state, untilMs }: State): void => {
    const nowMs = parts.context().clock.now();
    for (const [each, endMs] of used) if (endMs <= nowMs || used.size >= maxUsed) used.delete(each);
    if (used.has(state)) throw notConnected("the answer was taken before");
    used.set(state, untilMs);
  };
  return {
    plan: (ticket) => plan(parts, ticket),
    begin: (made, userId) => begin(parts, made, userId),
    async finish(sealed, answer, user) {
      const kept = openState(parts, sealed, answer, user);
      useOnce(kept);
      checkIssuer(kept, answer);
      const code = single(answer, "code");
      if (code === undefined) throw notConnected(`error: ${(single(answer, "error") ?? "no code").slice(0, 100)}`);
      return redeem(parts, kept, code, user);
    },
  };
}

async function plan(parts: BrokerParts, ticket: ConsentTicket): Promise<ConsentPlan | undefined> {
  const context = parts.context();
  const { apiId, environment, resourceMetadata, client } = ticket;
  const upstream = await deployedUpstream(context, apiId, environment);
  if (upstream === undefined) return undefined;
  const { fetch } = ownClientParts(parts, upstream);
  const hints = { issuer: upstream.auth.issuer, ...(resourceMetadata !== undefined && { resourceMetadata }) };
  const protection = await discoverUpstream(upstream.url, hints, fetch);
  const { server } = protection;
  if (!server.hasPkce || server.authorizationEndpoint === undefined) {
    throw new GatewayError(
      "upstream.invalid",
      "The upstream's authorization server cannot be used: it does not offer the authorization code grant with PKCE (S256).",
      { detail: server.issuer },
    );
  }
  const scopes = scopesOf(ticket, upstream, protection);
  const row = await context.catalog.read.upstreamCredentials.find(apiId, environment, holderKey(ticket.holder));
  const isAsGood =
    row?.state === "active" &&
    row.issuer === server.issuer &&
    row.resource === protection.resource &&
    !row.clients.includes(client);
  const present = isAsGood && scopes.every((scope) => row.asked.includes(scope)) ? row : undefined;
  return { ticket, upstream, protection, scopes, present };
}

/** What the upstream's refusal said, else what its metadata lists, beside the operator's; tokens that last, where there are. */
function scopesOf(
  ticket: ConsentTicket,
  { auth }: DeployedUpstream,
  { scopes: listed, server }: UpstreamProtection,
): readonly string[] {
  const wanted = [...auth.scopes, ...(ticket.scopes ?? listed ?? [])];
  const lasting = server.scopes?.includes("offline_access") === true ? ["offline_access"] : [];
  return [...new Set([...wanted.slice(0, mostScopes), ...lasting])];
}

async function begin(
  parts: BrokerParts,
  { ticket, upstream, protection, scopes }: ConsentPlan,
  userId: string,
): Promise<StartedAuthorization> {
  const own = ownClientParts(parts, upstream);
  const { server, resource } = protection;
  const client = await clientAt(server, own);
  const [state, verifier] = [randomText(), randomText()];
  const url = new URL(server.authorizationEndpoint ?? server.issuer); // a plan has one
  const parameters = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: own.facts.redirectUri,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    resource,
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    // OpenID Connect Core 1.0, 11: without it servers leave the scope out.
    ...(scopes.includes("offline_access") && { prompt: "consent" }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const { apiId, environment, holder } = ticket;
  const kept: State = {
    state,
    verifier,
    userId,
    apiId,
    environment,
    holder,
    client: ticket.client,
    issuer: server.issuer,
    namesItself: server.namesItself,
    clientId: client.clientId,
    resource,
    scopes: [...scopes],
    untilMs: parts.context().clock.now() + authorizationMs,
  };
  const sealed = parts.texts.seal(kept, place);
  if (sealed.length <= longestCookie) return { url: url.href, id: flowId(state), sealed };
  throw new GatewayError("upstream.invalid", "The MCP server wants too many scopes at once.", {
    detail: `${scopes.length} scopes`,
  });
}

/** The part of a flow's state that names its cookie. */
export function flowId(state: string): string {
  return createHash("sha256").update(state).digest("hex").slice(0, 16);
}

function openState(parts: BrokerParts, sealed: string | undefined, answer: URLSearchParams, user: Actor): State {
  const opened = stateSchema.safeParse(parts.texts.open(sealed, place));
  if (!opened.success) throw notConnected("this browser has begun nothing");
  const kept = opened.data;
  const state = single(answer, "state");
  if (state === undefined || !equalInConstantTime(Buffer.from(state), Buffer.from(kept.state))) {
    throw notConnected("the state is another");
  }
  if (parts.context().clock.now() >= kept.untilMs) throw notConnected("it took too long");
  if (user.id !== kept.userId) throw notConnected("another user has begun it");
  return kept;
}

/** RFC 9207: who answers has to be who was asked, by plain comparison of the texts; also where that was not announced. */
function checkIssuer({ issuer, namesItself }: State, answer: URLSearchParams): void {
  const said = single(answer, "iss");
  if (said === undefined ? namesItself : said !== issuer) throw notConnected("the answer is of another issuer");
}

async function redeem(parts: BrokerParts, kept: State, code: string, user: Actor): Promise<string> {
  const context = parts.context();
  const upstream = await deployedUpstream(context, kept.apiId, kept.environment);
  if (upstream === undefined) throw notConnected("the API has no such upstream any more");
  const own = ownClientParts(parts, upstream);
  const client = await knownClient(kept.issuer, kept.clientId, own);
  if (client === undefined) throw notConnected("the client is another now");
  const server = await serverOf(kept.issuer, upstream.url, own);
  const form = {
    grant_type: "authorization_code",
    code,
    redirect_uri: own.facts.redirectUri,
    code_verifier: kept.verifier,
    resource: kept.resource,
  };
  const answer = await requestToken({ server, client, form }, { fetch: own.fetch, nowMs: context.clock.now() });
  if (answer.type === "refused") {
    if (answer.error === "invalid_client") await forgetClient(kept.issuer, own);
    throw notConnected(`the token endpoint says ${answer.error}`);
  }
  const { accessToken, refreshToken, expiresAtMs } = answer;
  await storeUpstreamCredential(context, user, {
    apiId: kept.apiId,
    environment: kept.environment,
    holder: kept.holder,
    userId: kept.userId,
    issuer: kept.issuer,
    clientId: kept.clientId,
    resource: kept.resource,
    asked: kept.scopes,
    scopes: answer.scopes ?? kept.scopes,
    client: kept.client,
    tokens: { accessToken, refreshToken, expiresAtMs },
  });
  return upstream.title;
}

/** A parameter that is there once; a second one could be read instead of it by somebody else. */
function single(parameters: URLSearchParams, name: string): string | undefined {
  const [value, ...others] = parameters.getAll(name);
  if (others.length > 0) throw notConnected(`${name} comes twice`);
  return value === "" ? undefined : value;
}

function notConnected(detail: string): GatewayError {
  return new GatewayError(
    "auth.forbidden",
    "The connection was not made. Go back to the application and begin again.",
    {
      detail,
    },
  );
}

function randomText(): string {
  return randomBytes(32).toString("base64url");
}
