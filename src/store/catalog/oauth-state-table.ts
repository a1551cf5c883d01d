import type { Kysely, Selectable } from "kysely";
import type { OauthStateRow, OauthStateTable } from "../../core/identity-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";

/** The resident authorization server's state, as `OauthStateTable` promises it. */
export function oauthStateTable(db: Kysely<CatalogTables>): OauthStateTable {
  return {
    async put(row) {
      const { model, idHash, ...rest } = { ...row, payload: JSON.stringify(row.payload) };
      await db
        .insertInto("oauthState")
        .values({ model, idHash, ...rest })
        .onConflict((conflict) => conflict.columns(["model", "idHash"]).doUpdateSet(rest))
        .execute();
    },
    find: async (model, idHash) =>
      optional(await select(db).where("model", "=", model).where("idHash", "=", idHash).executeTakeFirst()),
    findByUid: async (model, uid) =>
      optional(await select(db).where("model", "=", model).where("uid", "=", uid).executeTakeFirst()),
    async consume(model, idHash, atMs) {
      const result = await db
        .updateTable("oauthState")
        .set({ consumedAtMs: atMs })
        .where("model", "=", model)
        .where("idHash", "=", idHash)
        .where("consumedAtMs", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async delete(model, idHash) {
      const result = await db
        .deleteFrom("oauthState")
        .where("model", "=", model)
        .where("idHash", "=", idHash)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async deleteByGrant(grantId) {
      const result = await db.deleteFrom("oauthState").where("grantId", "=", grantId).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async deleteByAccount(accountId) {
      const result = await db.deleteFrom("oauthState").where("accountId", "=", accountId).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async deleteByClient(clientId) {
      const result = await db.deleteFrom("oauthState").where("clientId", "=", clientId).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async count(model, upTo) {
      const found = db.selectFrom("oauthState").select("model").where("model", "=", model).limit(upTo).as("found");
      const { rows } = await db
        .selectFrom(found)
        .select(({ fn }) => fn.countAll<number>().as("rows"))
        .executeTakeFirstOrThrow();
      return Number(rows);
    },
    async deleteExpired(nowMs, limit) {
      const expired = db.selectFrom("oauthState").select("idHash").where("expiresAtMs", "<", nowMs).limit(limit);
      const result = await db
        .deleteFrom("oauthState")
        .where("idHash", "in", expired)
        .where("expiresAtMs", "<", nowMs) // one hash may stand under two models
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("oauthState").selectAll();
}

function optional(row: Selectable<CatalogTables["oauthState"]> | undefined): OauthStateRow | undefined {
  return row && { ...row, payload: parseJson(row.payload) as OauthStateRow["payload"] }; // written by put only
}
