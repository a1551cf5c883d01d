import type { UpstreamCredentialRow } from "../../core/upstream-tables.ts";
import { lapseUpstreamCredential, openUpstreamTokens, renewUpstreamCredential } from "../../core/upstream-vault.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import { guessedServer, readAuthorizationServer } from "./authorization-server.ts";
import type { OwnClientParts } from "./own-client.ts";
import { forgetClient, knownClient } from "./own-client.ts";
import { requestToken } from "./request-token.ts";

/** Errors of the token endpoint that only a person can mend (RFC 6749, 5.2). */
const lapses: ReadonlySet<string> = new Set([
  "invalid_grant",
  "invalid_client",
  "unauthorized_client",
  "invalid_scope",
]);

/**
 * Renews tokens by their refresh token; the one that comes with them takes its place before anybody uses the new access
 * token. Undefined when the person has to consent anew. Throws `upstream.…` where nobody can tell now.
 */
export async function renewTokens(
  row: UpstreamCredentialRow,
  upstreamUrl: string,
  parts: OwnClientParts,
): Promise<UpstreamCredentialRow | undefined> {
  const { context, fetch } = parts;
  const { refreshToken } = openUpstreamTokens(context, row);
  if (refreshToken === null) return lapse(row, parts, "no refresh token");
  const client = await knownClient(row.issuer, row.clientId, parts);
  if (client === undefined) return lapse(row, parts, "the client is another now");
  const server = await serverOf(row.issuer, upstreamUrl, parts);
  const form = { grant_type: "refresh_token", refresh_token: refreshToken, resource: row.resource };
  const answer = await requestToken({ server, client, form }, { fetch, nowMs: context.clock.now() });
  if (answer.type === "refused") {
    if (!lapses.has(answer.error)) {
      throw new GatewayError("upstream.unavailable", "The upstream's authorization server renews no token now.", {
        detail: `${row.issuer}: ${answer.error}`,
      });
    }
    if (answer.error === "invalid_client") await forgetClient(row.issuer, parts);
    return lapse(row, parts, answer.error);
  }
  const { accessToken, expiresAtMs, scopes } = answer;
  const tokens = { accessToken, expiresAtMs, refreshToken: answer.refreshToken ?? refreshToken };
  const renewed = await renewUpstreamCredential(context, row, tokens, scopes);
  return renewed ?? context.catalog.read.upstreamCredentials.findById(row.id);
}

async function lapse(row: UpstreamCredentialRow, { context }: OwnClientParts, reason: string): Promise<undefined> {
  await lapseUpstreamCredential(context, row, reason);
  return undefined;
}

/** The server that gave the tokens, also one without metadata at the upstream's own host. */
export async function serverOf(
  issuer: string,
  upstreamUrl: string,
  { fetch }: Pick<OwnClientParts, "fetch">,
): Promise<AuthorizationServer> {
  const server = await readAuthorizationServer(issuer, fetch);
  if (server !== undefined) return server;
  if (issuer === new URL(upstreamUrl).origin) return guessedServer(issuer);
  throw new GatewayError("upstream.unavailable", "The upstream's authorization server has no metadata any more.", {
    detail: issuer,
  });
}
