import type { Kysely, Selectable } from "kysely";
import type { ApiKeyRow, CatalogTransaction } from "../../core/catalog.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";
import { closePage, openNumberedPage, openPage } from "./page-cursor.ts";

/** API keys, as `CatalogTransaction` promises them. */
export function apiKeyTable(db: Kysely<CatalogTables>): CatalogTransaction["apiKeys"] {
  return {
    ...apiKeyWrites(db),
    find: async (name) => optional(await select(db).where("name", "=", name).executeTakeFirst()),
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    async list(filter, page) {
      const { after } = openNumberedPage("api-keys", page);
      let query = select(db).where("seq", ">", after);
      if (filter.teamId !== undefined) query = query.where("teamId", "=", filter.teamId);
      if (filter.teamIds !== undefined) query = query.where("teamId", "in", [...filter.teamIds]);
      if (filter.apiId !== undefined)
        query = query.where("apiId", "=", filter.apiId as NonNullable<ApiKeyRow["apiId"]>); // a plain string of the caller; equality cannot confuse it
      if (filter.applicationId !== undefined) {
        query = query.where("applicationId", "=", filter.applicationId as NonNullable<ApiKeyRow["applicationId"]>); // as above
      }
      const found = await query
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("api-keys", page, found, { row: fromStored, position: (row) => row.seq });
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
    async live(page) {
      const { after } = openPage("live-api-keys", page);
      const found = await select(db)
        .where("revokedAtMs", "is", null)
        .where("id", ">", idOf(after ?? ""))
        .orderBy("id")
        .limit(page.limit + 1)
        .execute();
      return closePage("live-api-keys", page, found, { row: fromStored, position: (row) => row.id });
    },
  };
}

function apiKeyWrites(
  db: Kysely<CatalogTables>,
): Pick<CatalogTransaction["apiKeys"], "insert" | "update" | "delete" | "touch"> {
  return {
    async insert(key) {
      const insert = db.insertInto("apiKeys").values(toStored(key));
      await explainConflict(`An API key called ${key.name} exists already.`, insert.execute());
    },
    async update(key, expectedVersion) {
      const { id, name: _name, teamId: _team, ...changing } = toStored(key);
      const update = db
        .updateTable("apiKeys")
        .set(changing)
        .where("id", "=", id)
        .where("version", "=", expectedVersion);
      const result = await explainConflict("Another API key has this public id.", update.executeTakeFirst());
      return result.numUpdatedRows > 0n;
    },
    async delete(id, expectedVersion) {
      const result = await db
        .deleteFrom("apiKeys")
        .where("id", "=", idOf(id))
        .where("version", "=", expectedVersion)
        .executeTakeFirst();
      if (result.numDeletedRows === 0n) return false;
      await db.deleteFrom("references").where("holderType", "=", "apiKey").where("holderId", "=", id).execute();
      return true;
    },
    async touch(used) {
      for (const { id, atMs } of used) {
        await db
          .updateTable("apiKeys")
          .set({ lastUsedAtMs: atMs })
          .where("id", "=", idOf(id))
          .where((row) => row.or([row("lastUsedAtMs", "is", null), row("lastUsedAtMs", "<", atMs)]))
          .execute();
      }
    },
  };
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("apiKeys").selectAll();
}

function idOf(id: string): ApiKeyRow["id"] {
  return id as ApiKeyRow["id"]; // looked up only: an id of another kind is in no row
}

/** Of a key of an application: the column was there before such keys, and is never null. */
const noApi = "" as NonNullable<ApiKeyRow["apiId"]>; // no id is empty

function toStored(key: ApiKeyRow) {
  return {
    ...key,
    apiId: key.apiId ?? noApi,
    permittedIps: JSON.stringify(key.permittedIps),
    permittedReferrers: JSON.stringify(key.permittedReferrers),
    allow: key.allow === null ? null : JSON.stringify(key.allow),
    budgets: JSON.stringify(key.budgets),
    labels: JSON.stringify(key.labels),
    previous: key.previous === undefined ? null : JSON.stringify(key.previous),
  };
}

// The lists, the labels and the previous value were written by toStored only.
function fromStored({ seq: _, previous, ...row }: Selectable<CatalogTables["apiKeys"]>): ApiKeyRow {
  return {
    ...row,
    apiId: row.apiId === noApi ? null : row.apiId,
    permittedIps: parseJson(row.permittedIps) as ApiKeyRow["permittedIps"],
    permittedReferrers: parseJson(row.permittedReferrers) as ApiKeyRow["permittedReferrers"],
    allow: row.allow === null ? null : (parseJson(row.allow) as ApiKeyRow["allow"]),
    budgets: parseJson(row.budgets) as ApiKeyRow["budgets"],
    labels: parseJson(row.labels) as ApiKeyRow["labels"],
    ...(previous === null ? {} : { previous: parseJson(previous) as NonNullable<ApiKeyRow["previous"]> }),
  };
}

function optional(row: Selectable<CatalogTables["apiKeys"]> | undefined): ApiKeyRow | undefined {
  return row && fromStored(row);
}
