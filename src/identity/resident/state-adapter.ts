import { createHash } from "node:crypto";
import type { Adapter } from "oidc-provider";
import { errors } from "oidc-provider";
import type { CoreContext } from "../../core/core-context.ts";
import type { OauthStateRow } from "../../core/identity-tables.ts";
import { isEndedState } from "../../core/oauth-accounts.ts";
import { seal, unseal } from "../../kernel/crypto.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { memberAt } from "../read-claims.ts";
import { boundOf } from "./state-bounds.ts";

/** What else happens when a grant ends, such as the death of its access tokens. */
export type GrantEnded = (grantId: string) => Promise<void>;

/**
 * Keeps one kind of the authorization server's state. Whoever reads the table finds no token, code or session id: ids
 * are there as hashes, and the payload is sealed and holds none.
 */
export function createStateAdapter(context: CoreContext, model: string, grantEnded: GrantEnded): Adapter {
  const { catalog, clock } = context;
  const { read } = catalog;
  const bound = boundOf(model);

  const open = (row: OauthStateRow | undefined, id: string | undefined): Record<string, unknown> | undefined => {
    if (row === undefined || (row.expiresAtMs !== null && row.expiresAtMs <= clock.now())) return undefined;
    const payload = openPayload(context, row);
    if (id !== undefined) payload["jti"] = id;
    if (row.consumedAtMs !== null) payload["consumed"] = Math.floor(row.consumedAtMs / 1_000);
    return payload;
  };

  return {
    async upsert(id, { jti: _jti, ...payload }, expiresInSeconds) {
      const idHash = hashOf(id);
      const { id: keyId, key } = context.vaultKeys.current;
      const accountId = accountOf(payload);
      const sinceSeconds = Number(payload["loginTs"] ?? payload["iat"] ?? 0);
      const row: OauthStateRow = {
        model,
        idHash,
        uid: textOf(payload["uid"]),
        grantId: textOf(payload["grantId"]),
        userCode: null,
        clientId: textOf(payload["clientId"]),
        accountId,
        familyId: model === "RefreshToken" ? textOf(payload["grantId"]) : null,
        payload: seal(key, keyId, JSON.stringify(payload), oauthStateBinding(model, idHash)),
        expiresAtMs: expiresInSeconds > 0 ? clock.now() + expiresInSeconds * 1_000 : null,
        consumedAtMs: null,
      };
      await catalog.transaction(async (transaction) => {
        await bound?.admit(transaction, idHash);
        // A session is stored again at each use, and would so outlive the end of what it stands for.
        if (accountId !== null && (await isEndedState(transaction, accountId, sinceSeconds))) return;
        await transaction.oauthState.put(row);
      });
    },
    find: async (id) => open(await read.oauthState.find(model, hashOf(id)), id),
    findByUid: async (uid) => open(await read.oauthState.findByUid(model, uid), undefined),
    findByUserCode: async () => undefined, // there is no device flow
    async consume(id) {
      const idHash = hashOf(id);
      const replayed = await catalog.transaction(async ({ oauthState }) => {
        if (await oauthState.consume(model, idHash, clock.now())) return undefined;
        const grantId = (await oauthState.find(model, idHash))?.grantId ?? "";
        await oauthState.deleteByGrant(grantId);
        await oauthState.delete("Grant", hashOf(grantId)); // what the first one is given is dead too
        return grantId;
      });
      if (replayed === undefined) return;
      // Two requests with one code or refresh token, both of which saw it unused: the later one is a replay.
      await grantEnded(replayed);
      throw new errors.InvalidGrant("used twice at the same time");
    },
    async destroy(id) {
      await catalog.transaction((transaction) => transaction.oauthState.delete(model, hashOf(id)));
    },
    async revokeByGrantId(grantId) {
      await catalog.transaction(async ({ oauthState }) => {
        await oauthState.deleteByGrant(grantId);
        await oauthState.delete("Grant", hashOf(grantId)); // first, so that nothing is issued any more when tokens die
      });
      if (model === "AccessToken") await grantEnded(grantId); // the library names every model in turn
    },
  };
}

/** A page on which somebody has logged in is as good as a session until the browser has gone on from it. */
function accountOf({ accountId, result, session }: Readonly<Record<string, unknown>>): string | null {
  return (
    textOf(accountId) ??
    textOf(memberAt({ result, session }, "result.login.accountId")) ??
    textOf(memberAt({ result, session }, "session.accountId"))
  );
}

/** What a sealed piece of state is bound to. */
export function oauthStateBinding(model: string, idHash: string): string {
  return `oauth-state/${model}/${idHash}`;
}

function openPayload(context: CoreContext, { model, idHash, payload }: OauthStateRow): Record<string, unknown> {
  const key = context.vaultKeys.find(payload.kid);
  if (key === undefined) {
    throw new GatewayError("secret.undecryptable", "A piece of OAuth state cannot be decrypted.", {
      detail: `${model} was sealed with key ${payload.kid}, which is not in the keyring`,
    });
  }
  return parseJson(unseal(key, payload, oauthStateBinding(model, idHash))) as Record<string, unknown>; // put there by `upsert`
}

function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
