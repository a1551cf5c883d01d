import type { CoreContext } from "../../core/core-context.ts";
import type { UpstreamCredentialRow } from "../../core/upstream-tables.ts";
import { holderKey } from "../../core/upstream-tables.ts";
import type { UpstreamTokenAnswer, UpstreamTokenQuestion, UpstreamTokens } from "../../core/upstream-tokens.ts";
import { lapseUpstreamCredential, openUpstreamTokens } from "../../core/upstream-vault.ts";
import type { SafeFetch } from "../../kernel/safe-fetch.ts";
import type { SecretReader } from "../../pipeline/plugin.ts";
import { sealTicket } from "./consent-ticket.ts";
import type { DeployedUpstream } from "./deployed-upstream.ts";
import { deployedUpstream } from "./deployed-upstream.ts";
import type { OwnClientFacts, OwnClientParts } from "./own-client.ts";
import { renewTokens } from "./renew-tokens.ts";
import type { SealedTexts } from "./sealed-texts.ts";
import { createUpstreamFetch } from "./upstream-fetch.ts";
import { coversResource } from "./well-known-urls.ts";

export interface BrokerParts {
  context(): CoreContext;
  readonly secrets: SecretReader;
  readonly fetch: SafeFetch;
  /** In production nothing but https is spoken with authorization servers. */
  readonly httpsOnly: boolean;
  readonly texts: SealedTexts;
  /** The resident server's issuer, below which the pages are; undefined while nobody can reach them. */
  issuer(): string | undefined;
}

/** Gives out what the vault holds, and renews it: one renewal at a time for each holder, however many ask. */
export function createUpstreamBroker(parts: BrokerParts): UpstreamTokens {
  const renewing = new Map<string, Promise<UpstreamCredentialRow | undefined>>();
  const renew = (row: UpstreamCredentialRow, at: DeployedUpstream): Promise<UpstreamCredentialRow | undefined> => {
    const known = renewing.get(row.id);
    if (known !== undefined) return known;
    const pending = renewTokens(row, at.url, ownClientParts(parts, at)).finally(() => renewing.delete(row.id));
    renewing.set(row.id, pending);
    return pending;
  };
  return {
    async ask(question) {
      const context = parts.context();
      const { apiId, environment, client, refusal } = question;
      const at = await deployedUpstream(context, apiId, environment);
      if (at === undefined) return { type: "none" };
      const { upstreamCredentials } = context.catalog.read;
      const row = await upstreamCredentials.find(apiId, environment, holderKey(question.holder));
      const answer = row !== undefined && isUsable(row, at, client) ? await tokenFor(question, row, at) : undefined;
      if (answer !== undefined) return answer;
      return refusal === undefined ? { type: "none" } : consent(question, refusal.scopes, at);
    },
  };

  async function tokenFor(
    question: UpstreamTokenQuestion,
    row: UpstreamCredentialRow,
    at: DeployedUpstream,
  ): Promise<UpstreamTokenAnswer | undefined> {
    const context = parts.context();
    const { refusal, refusedVersion } = question;
    const isCurrent = refusedVersion === versionOf(row);
    if (refusal?.status === 403 && isCurrent) return stepUp(question, row, at);
    const { accessToken, refreshToken, expiresAtMs } = openUpstreamTokens(context, row);
    const untilMs = usableUntil(row, expiresAtMs);
    const isOver = untilMs !== null && untilMs <= context.clock.now();
    if (!isOver && !(isCurrent && refusal !== undefined)) return tokenAnswer(row, accessToken, untilMs);
    if (refreshToken === null && refusal === undefined) return undefined; // the upstream says what it wants first
    // A token that is refused as soon as it was given is no stale one: another would be refused too.
    if (isCurrent && refusal !== undefined && context.clock.now() - row.updatedAtMs < freshMs) {
      await lapseUpstreamCredential(context, row, "the upstream refuses its tokens");
      return undefined;
    }
    const renewed = await renew(row, at);
    if (renewed === undefined || renewed.state !== "active") return undefined;
    const next = openUpstreamTokens(context, renewed);
    return tokenAnswer(renewed, next.accessToken, usableUntil(renewed, next.expiresAtMs));
  }

  /** More scopes than were asked for may be consented to; those that were asked for already are not given. */
  function stepUp(
    question: UpstreamTokenQuestion,
    row: UpstreamCredentialRow,
    at: DeployedUpstream,
  ): UpstreamTokenAnswer {
    const wanted = question.refusal?.scopes ?? [];
    const union = [...new Set([...row.asked, ...wanted])];
    if (union.length === row.asked.length || union.length > mostScopes) {
      const reason = `The MCP server wants scopes that it was asked for and did not get: ${wanted.join(" ").slice(0, 500)}.`;
      return { type: "refused", reason };
    }
    return consent(question, union, at);
  }

  function consent(
    question: UpstreamTokenQuestion,
    scopes: readonly string[] | undefined,
    { name }: DeployedUpstream,
  ): UpstreamTokenAnswer {
    const issuer = parts.issuer();
    if (issuer === undefined) return { type: "refused", reason: "This gateway has no page on which to consent." };
    const ticket = sealTicket(question, scopes, parts.texts, parts.context().clock);
    return { type: "consent", url: `${issuer}/connect/${encodeURIComponent(name)}?ticket=${ticket}` };
  }
}

const freshMs = 10_000;
const mostScopes = 50;

const longestLeewayMs = 30_000;

/** A token is not used in its last moments, half a minute or a tenth of its life: it must be good when it arrives. */
function usableUntil({ updatedAtMs }: UpstreamCredentialRow, expiresAtMs: number | null): number | null {
  return expiresAtMs === null ? null : expiresAtMs - Math.min(longestLeewayMs, (expiresAtMs - updatedAtMs) / 10);
}

function tokenAnswer(row: UpstreamCredentialRow, accessToken: string, expiresAtMs: number | null): UpstreamTokenAnswer {
  return { type: "token", accessToken, expiresAtMs, version: versionOf(row) };
}

function versionOf({ id, version }: UpstreamCredentialRow): string {
  return `${id}.${version}`;
}

/** Tokens go where they are meant for: a URL that was changed since is another server. */
function isUsable(row: UpstreamCredentialRow, { url, auth }: DeployedUpstream, client: string): boolean {
  if (row.state !== "active" || !row.clients.includes(client)) return false;
  return (auth.issuer === undefined || auth.issuer === row.issuer) && coversResource(row.resource, url);
}

/** What being a client at an upstream's server takes. */
export function ownClientParts(
  { context, secrets, fetch, httpsOnly, issuer }: BrokerParts,
  { url, auth }: DeployedUpstream,
): OwnClientParts {
  return {
    context: context(),
    auth,
    facts: ownFacts(issuer() ?? ""),
    secrets,
    fetch: createUpstreamFetch({ fetch, configured: [url, auth.issuer], httpsOnly }),
  };
}

/** The gateway as authorization servers see it; its pages and its document are below the resident server's issuer. */
export function ownFacts(issuer: string): OwnClientFacts {
  return { redirectUri: `${issuer}/connected`, documentUrl: `${issuer}/client.json`, name: "Gatehouse" };
}
