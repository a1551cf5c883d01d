import type { Kysely, Selectable } from "kysely";
import type { OauthClientSecretRow, OauthClientTable } from "../../core/identity-tables.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";

/** Secrets of OAuth clients, as `OauthClientTable.secrets` promises them. */
export function oauthClientSecretTable(db: Kysely<CatalogTables>): OauthClientTable["secrets"] {
  return {
    ...oauthClientSecretReads(db),
    async insert(secret) {
      const insert = db.insertInto("oauthClientSecrets").values(secret);
      await explainConflict("There is such a client secret already.", insert.execute());
    },
    async update({ id, expiresAtMs, revokedAtMs }) {
      const result = await db
        .updateTable("oauthClientSecrets")
        .set({ expiresAtMs, revokedAtMs })
        .where("id", "=", id)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async delete(id) {
      const result = await db.deleteFrom("oauthClientSecrets").where("id", "=", idOf(id)).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async touch(used) {
      for (const { id, atMs } of used) {
        await db
          .updateTable("oauthClientSecrets")
          .set({ lastUsedAtMs: atMs })
          .where("id", "=", idOf(id))
          .where((row) => row.or([row("lastUsedAtMs", "is", null), row("lastUsedAtMs", "<", atMs)]))
          .execute();
      }
    },
  };
}

function oauthClientSecretReads(
  db: Kysely<CatalogTables>,
): Pick<OauthClientTable["secrets"], "findById" | "findByPublicId" | "of" | "expiring"> {
  return {
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    findByPublicId: async (publicId) => optional(await select(db).where("publicId", "=", publicId).executeTakeFirst()),
    async of(clientRowId) {
      const found = await select(db)
        .where("clientRowId", "=", clientRowId as OauthClientSecretRow["clientRowId"]) // looked up only
        .orderBy("seq")
        .execute();
      return found.map(fromStored);
    },
    async expiring(nowMs, beforeMs, limit) {
      const found = await select(db)
        .where("revokedAtMs", "is", null)
        .where("expiresAtMs", ">", nowMs)
        .where("expiresAtMs", "<", beforeMs)
        .orderBy("expiresAtMs")
        .limit(limit)
        .execute();
      return found.map(fromStored);
    },
  };
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("oauthClientSecrets").selectAll();
}

function idOf(id: string): OauthClientSecretRow["id"] {
  return id as OauthClientSecretRow["id"]; // looked up only: an id of another kind is in no row
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["oauthClientSecrets"]>): OauthClientSecretRow {
  return row;
}

function optional(row: Selectable<CatalogTables["oauthClientSecrets"]> | undefined): OauthClientSecretRow | undefined {
  return row && fromStored(row);
}
