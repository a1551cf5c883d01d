import type { Kysely, Selectable } from "kysely";
import type { UpstreamCredentialRow, UpstreamCredentialTable } from "../../core/upstream-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openPage } from "./page-cursor.ts";

/** Credentials for upstreams, as `UpstreamCredentialTable` promises them. */
export function upstreamCredentialTable(db: Kysely<CatalogTables>): UpstreamCredentialTable {
  return {
    async put(row) {
      const { id, apiId, environment, holder, ...rest } = toStored(row);
      await db
        .insertInto("upstreamCredentials")
        .values({ id, apiId, environment, holder, ...rest })
        .onConflict((conflict) => conflict.columns(["apiId", "environment", "holder"]).doUpdateSet({ id, ...rest }))
        .execute();
    },
    async update(row, expectedVersion) {
      const { sealed, scopes, version, state, updatedAtMs } = toStored(row);
      const result = await db
        .updateTable("upstreamCredentials")
        .set({ sealed, scopes, version, state, updatedAtMs })
        .where("id", "=", row.id)
        .where("version", "=", expectedVersion)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    find: async (apiId, environment, holder) =>
      optional(
        await select(db)
          .where("apiId", "=", apiId)
          .where("environment", "=", environment)
          .where("holder", "=", holder)
          .executeTakeFirst(),
      ),
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    async list({ userId, applicationIds, apiId }, page) {
      const { after = "" } = openPage("upstream-credentials", page);
      const found = await select(db)
        .where("id", ">", idOf(after))
        .$if(apiId !== undefined, (query) => query.where("apiId", "=", apiId ?? ""))
        .$if(userId !== undefined || applicationIds !== undefined, (query) =>
          query.where((row) =>
            row.or([
              row("userId", "=", userId ?? ""),
              ...(applicationIds === undefined || applicationIds.length === 0
                ? []
                : [row("applicationId", "in", [...applicationIds])]),
            ]),
          ),
        )
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return closePage("upstream-credentials", page, found, { row: fromStored, position: (row) => row.id });
    },
    async delete(id) {
      const result = await db.deleteFrom("upstreamCredentials").where("id", "=", idOf(id)).executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    async deleteOf(userId) {
      await db.deleteFrom("upstreamCredentials").where("userId", "=", userId).execute();
    },
  };
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("upstreamCredentials").selectAll();
}

function idOf(id: string): UpstreamCredentialRow["id"] {
  return id as UpstreamCredentialRow["id"]; // looked up only: an id of another kind is in no row
}

function toStored({ asked, scopes, clients, sealed, ...row }: UpstreamCredentialRow) {
  const lists = { asked: JSON.stringify(asked), scopes: JSON.stringify(scopes), clients: JSON.stringify(clients) };
  return { ...row, ...lists, sealed: JSON.stringify(sealed) };
}

// The columns were written by toStored and by rotation only.
function fromStored({ asked, scopes, clients, sealed, ...row }: Selectable<CatalogTables["upstreamCredentials"]>) {
  return {
    ...row,
    asked: parseJson(asked) as readonly string[],
    scopes: parseJson(scopes) as readonly string[],
    clients: parseJson(clients) as readonly string[],
    sealed: parseJson(sealed) as UpstreamCredentialRow["sealed"],
  };
}

function optional(row: Selectable<CatalogTables["upstreamCredentials"]> | undefined) {
  return row && fromStored(row);
}
