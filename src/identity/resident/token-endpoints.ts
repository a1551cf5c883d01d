import type { Context, Provider } from "oidc-provider";
import type { CoreContext } from "../../core/core-context.ts";
import type { OauthClientRow } from "../../core/identity-tables.ts";
import { revoke } from "../../core/revocations.ts";
import { audit, inWrite } from "../../core/write.ts";
import type { OwnTokens } from "./own-tokens.ts";

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of our JWTs. The library knows only tokens that it keeps: it
 * authenticates the client and then says that it cannot handle a JWT, and there we go on.
 */
export function addTokenEndpoints(
  provider: Provider,
  context: CoreContext,
  keyManagerId: OauthClientRow["keyManagerId"],
  tokens: OwnTokens,
): void {
  const structured = new WeakSet<object>();
  const note = (call: Context, error: { readonly error?: string }): void => {
    if (error.error === "unsupported_token_type") structured.add(call);
  };
  provider.on("introspection.error", note);
  provider.on("revocation.error", note);
  provider.use(async (call, next) => {
    await next();
    if (!structured.has(call)) return;
    const token = String(call.oidc.params?.["token"]);
    const isIntrospection = call.oidc.route === "introspection";
    const { client } = call.oidc;
    const claims = await tokens.read(token);
    const isOwn = claims?.client_id === client.clientId;
    if (isIntrospection) {
      // A public client is anybody: it is told of its own tokens only.
      const isTold = claims !== undefined && (isOwn || client.clientAuthMethod !== "none");
      answer(call, 200, isTold ? { active: true, token_type: "Bearer", ...claims } : { active: false });
      return;
    }
    if (claims !== undefined && !isOwn && client.clientAuthMethod !== "none") {
      answer(call, 400, { error: "invalid_request", error_description: "the token was issued to another client" });
      return;
    }
    if (claims !== undefined && isOwn) await revokeToken(context, keyManagerId, claims);
    answer(call, 200, "");
  });
}

async function revokeToken(
  context: CoreContext,
  keyManagerId: OauthClientRow["keyManagerId"],
  claims: { readonly jti: string; readonly exp: number; readonly client_id: string },
): Promise<void> {
  const actor = { type: "system", id: "oauth" } as const;
  await inWrite(context, actor, async (write) => {
    const expiresAtMs = (claims.exp + 60) * 1_000; // a gateway may let a token live on for the skew of clocks
    await revoke(write, { type: "token", id: claims.jti, keyManagerId, expiresAtMs });
    const client = await write.transaction.oauthClients.find(keyManagerId, claims.client_id);
    if (client === undefined) return;
    const subject = { kind: "OauthClient", id: client.id, name: client.name, teamId: client.teamId };
    await audit(write, "token.revoked", subject, { jti: claims.jti });
  });
}

function answer(call: Context, status: number, body: unknown): void {
  call.status = status;
  call.body = body;
  if (body === "") return;
  call.type = "json";
}
