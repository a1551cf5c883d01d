import { createHash } from "node:crypto";
import { errors } from "oidc-provider";
import { z } from "zod";
import type { CatalogTransaction } from "../../core/catalog.ts";
import type { CoreContext } from "../../core/core-context.ts";
import type { RevocationRecord } from "../../core/plane-message.ts";
import { revoke } from "../../core/revocations.ts";
import { inWrite } from "../../core/write.ts";
import { seal, unseal } from "../../kernel/crypto.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import { oauthStateBinding } from "./state-adapter.ts";

const model = "IssuedTokens";
const issuedSchema = z.array(z.object({ jti: z.string(), expiresAtMs: z.number() }));
type Issued = z.output<typeof issuedSchema>;

/**
 * Remembers that an access token belongs to a grant, until it expires. The token itself is kept nowhere. Throws
 * `invalid_grant` where the grant has ended meanwhile, so that no token comes out of it that nobody would revoke.
 */
export async function noteIssued(context: CoreContext, grantId: string, token: Issued[number]): Promise<void> {
  const nowMs = context.clock.now();
  await context.catalog.transaction(async (transaction) => {
    if ((await transaction.oauthState.find("Grant", hashOf(grantId))) === undefined) {
      throw new errors.InvalidGrant("the grant has ended");
    }
    const before = await issuedOf(context, transaction, grantId);
    const issued = [...before.filter(({ expiresAtMs }) => expiresAtMs > nowMs), token];
    const idHash = hashOf(grantId);
    const { id, key } = context.vaultKeys.current;
    await transaction.oauthState.put({
      model,
      idHash,
      uid: null,
      grantId: null, // it outlives the rows of the grant, to say which tokens died with it
      userCode: null,
      clientId: null, // as above
      accountId: null,
      familyId: null,
      payload: seal(key, id, JSON.stringify(issued), oauthStateBinding(model, idHash)),
      expiresAtMs: Math.max(...issued.map(({ expiresAtMs }) => expiresAtMs)),
      consumedAtMs: null,
    });
  });
}

/** Makes every remembered access token of a grant dead, at every gateway. */
export async function revokeIssued(
  context: CoreContext,
  keyManagerId: RevocationRecord["keyManagerId"],
  grantId: string,
): Promise<void> {
  const actor = { type: "system", id: "resident" } as const;
  await inWrite(context, actor, async (write) => {
    for (const { jti, expiresAtMs } of await issuedOf(context, write.transaction, grantId)) {
      if (expiresAtMs > write.nowMs) await revoke(write, { type: "token", id: jti, keyManagerId, expiresAtMs });
    }
    await write.transaction.oauthState.delete(model, hashOf(grantId));
  });
}

async function issuedOf(context: CoreContext, transaction: CatalogTransaction, grantId: string): Promise<Issued> {
  const idHash = hashOf(grantId);
  const row = await transaction.oauthState.find(model, idHash);
  const key = row && context.vaultKeys.find(row.payload.kid);
  if (row === undefined || key === undefined) return [];
  return issuedSchema.parse(parseJson(unseal(key, row.payload, oauthStateBinding(model, idHash))));
}

function hashOf(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}
