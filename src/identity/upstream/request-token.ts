import { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import type { AuthorizationServer } from "./authorization-server.ts";
import type { UpstreamClient } from "./client-proof.ts";
import { proveClient } from "./client-proof.ts";
import type { UpstreamFetch } from "./upstream-fetch.ts";
import { objectIn } from "./upstream-fetch.ts";

/** What a token endpoint has given. */
export interface GivenTokens {
  readonly type: "tokens";
  readonly accessToken: string;
  readonly refreshToken: string | null;
  /** Milliseconds since the epoch; null where the server does not say. */
  readonly expiresAtMs: number | null;
  /** Undefined where they are those that were asked for (RFC 6749, 5.1). */
  readonly scopes: readonly string[] | undefined;
}

/** What a token endpoint has refused, by the code of RFC 6749, 5.2. */
export interface RefusedTokens {
  readonly type: "refused";
  readonly error: string;
}

export interface TokenRequest {
  readonly server: AuthorizationServer;
  readonly client: UpstreamClient;
  /** `grant_type` and what belongs to it; undefined members are left out. */
  readonly form: Readonly<Record<string, string | undefined>>;
  /** `token_type` of the answer; an assertion's is `N_A` (RFC 8693, 2.2.1). */
  readonly tokenType?: "bearer" | "n_a";
}

const answerSchema = z.looseObject({
  access_token: z.string().min(1).max(100_000),
  token_type: z.string().max(100),
  expires_in: z.union([z.number(), z.string().regex(/^\d{1,10}$/)]).optional(),
  refresh_token: z.string().min(1).max(100_000).optional(),
  scope: z.string().max(20_000).optional(),
});

const longestLifeSeconds = 366 * 86_400;
/** A token that no header can carry would break the request that it is meant for. */
const headerText = /^[\x21-\x7e]+$/;

/**
 * Asks for tokens. A refusal is a value; throws `upstream.unavailable` where the server has no answer now, and
 * `upstream.invalid` for one that is none. What the server says in words stays out of logs: it may repeat what was sent.
 */
export async function requestToken(
  { server, client, form, tokenType = "bearer" }: TokenRequest,
  { fetch, nowMs }: { readonly fetch: UpstreamFetch; readonly nowMs: number },
): Promise<GivenTokens | RefusedTokens> {
  const proof = await proveClient(client, server, nowMs);
  const given = Object.entries(form).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const all: Readonly<Record<string, string>> = { ...Object.fromEntries(given), ...proof.form };
  const answer = await fetch.post(server.tokenEndpoint, { form: all }, proof.headers);
  const body = objectIn(answer);
  if (answer.status >= 500 || answer.status === 429) {
    throw new GatewayError("upstream.unavailable", "The upstream's authorization server gives no tokens now.", {
      detail: `${server.issuer}: status ${answer.status}`,
    });
  }
  if (answer.status !== 200) {
    const { error } = body ?? {};
    const code = typeof error === "string" && /^[\w.:/-]{1,64}$/.test(error) ? error : `status_${answer.status}`;
    return { type: "refused", error: code };
  }
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) throw invalid(server, parsed.error.issues[0]?.path.join(".") ?? "no object");
  const { access_token: accessToken, token_type: type, expires_in: seconds, refresh_token: refresh } = parsed.data;
  if (type.toLowerCase() !== tokenType) throw invalid(server, "token_type");
  if (!headerText.test(accessToken)) throw invalid(server, "access_token");
  const life = seconds === undefined ? undefined : Math.min(Math.max(0, Number(seconds)), longestLifeSeconds);
  return {
    type: "tokens",
    accessToken,
    refreshToken: refresh ?? null,
    expiresAtMs: life === undefined ? null : nowMs + life * 1_000,
    scopes: parsed.data.scope?.split(" ").filter((scope) => scope !== ""),
  };
}

function invalid({ issuer }: AuthorizationServer, member: string): GatewayError {
  return new GatewayError("upstream.invalid", "The answer of the upstream's authorization server cannot be used.", {
    detail: `${issuer}: ${member}`,
  });
}
