import type { Kysely, Selectable } from "kysely";
import type { AccessTokenRow, AccessTokenTable } from "../../core/access-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Access tokens, as `AccessTokenTable` promises them. */
export function accessTokenTable(db: Kysely<CatalogTables>): AccessTokenTable {
  return {
    ...accessTokenWrites(db),
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    findByPublicId: async (publicId) => optional(await select(db).where("publicId", "=", publicId).executeTakeFirst()),
    async list({ userId }, page) {
      const { after } = openNumberedPage("access-tokens", page);
      const found = await select(db)
        .where("seq", ">", after)
        .$if(userId !== undefined, (query) => query.where("userId", "=", userOf(userId)))
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("access-tokens", page, found, { row: fromStored, position: (row) => row.seq });
    },
    async count(userId, nowMs) {
      const { live } = await db
        .selectFrom("accessTokens")
        .select((row) => row.fn.countAll().as("live"))
        .where("userId", "=", userOf(userId))
        .where("revokedAtMs", "is", null)
        .where("expiresAtMs", ">", nowMs)
        .executeTakeFirstOrThrow();
      return Number(live);
    },
  };
}

function accessTokenWrites(
  db: Kysely<CatalogTables>,
): Pick<AccessTokenTable, "insert" | "revoke" | "revokeOf" | "touch" | "deleteOf"> {
  return {
    async insert(token) {
      await db.insertInto("accessTokens").values(toStored(token)).execute();
    },
    async revoke(id, atMs) {
      const result = await db
        .updateTable("accessTokens")
        .set({ revokedAtMs: atMs })
        .where("id", "=", idOf(id))
        .where("revokedAtMs", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async revokeOf(userId, atMs) {
      const result = await db
        .updateTable("accessTokens")
        .set({ revokedAtMs: atMs })
        .where("userId", "=", userOf(userId))
        .where("revokedAtMs", "is", null)
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
    async touch(used) {
      for (const { id, atMs } of used) {
        await db
          .updateTable("accessTokens")
          .set({ lastUsedAtMs: atMs })
          .where("id", "=", idOf(id))
          .where((row) => row.or([row("lastUsedAtMs", "is", null), row("lastUsedAtMs", "<", atMs)]))
          .execute();
      }
    },
    async deleteOf(userId) {
      await db.deleteFrom("accessTokens").where("userId", "=", userOf(userId)).execute();
    },
  };
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("accessTokens").selectAll();
}

function idOf(id: string): AccessTokenRow["id"] {
  return id as AccessTokenRow["id"]; // looked up only: an id of another kind is in no row
}

function userOf(id: string | undefined): AccessTokenRow["userId"] {
  return (id ?? "") as AccessTokenRow["userId"]; // as above
}

function toStored({ permissions, teamIds, ...token }: AccessTokenRow) {
  return {
    ...token,
    permissions: permissions && JSON.stringify(permissions),
    teamIds: teamIds && JSON.stringify(teamIds),
  };
}

// Both lists were written by toStored only.
function fromStored({ seq: _, permissions, teamIds, ...row }: Selectable<CatalogTables["accessTokens"]>) {
  return {
    ...row,
    permissions: permissions === null ? null : (parseJson(permissions) as NonNullable<AccessTokenRow["permissions"]>),
    teamIds: teamIds === null ? null : (parseJson(teamIds) as NonNullable<AccessTokenRow["teamIds"]>),
  };
}

function optional(row: Selectable<CatalogTables["accessTokens"]> | undefined): AccessTokenRow | undefined {
  return row && fromStored(row);
}
