import type { Kysely, Selectable } from "kysely";
import type { OauthClientRow, OauthClientTable } from "../../core/identity-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";
import { oauthClientSecretTable } from "./oauth-client-secret-table.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** OAuth clients, as `OauthClientTable` promises them. */
export function oauthClientTable(db: Kysely<CatalogTables>): OauthClientTable {
  return {
    ...oauthClientWrites(db),
    secrets: oauthClientSecretTable(db),
    async find(keyManagerId, clientId) {
      const query = select(db)
        .where("keyManagerId", "=", keyManagerId as OauthClientRow["keyManagerId"]) // looked up only
        .where("clientId", "=", clientId);
      return optional(await query.executeTakeFirst());
    },
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    async idle(source, beforeMs, limit) {
      const found = await select(db)
        .where("source", "=", source)
        .where("applicationId", "is", null)
        .where("version", "=", 1)
        .where((row) => row.fn.coalesce("lastUsedAtMs", "createdAtMs"), "<", beforeMs)
        .orderBy("seq")
        .limit(limit)
        .execute();
      return found.map(fromStored);
    },
    async count(source, upTo) {
      const found = db.selectFrom("oauthClients").select("id").where("source", "=", source).limit(upTo).as("found");
      const { rows } = await db
        .selectFrom(found)
        .select(({ fn }) => fn.countAll<number>().as("rows"))
        .executeTakeFirstOrThrow();
      return Number(rows);
    },
    async touch(used) {
      for (const { id, atMs } of used) {
        await db
          .updateTable("oauthClients")
          .set({ lastUsedAtMs: atMs })
          .where("id", "=", idOf(id))
          .where((row) => row.or([row("lastUsedAtMs", "is", null), row("lastUsedAtMs", "<", atMs)]))
          .execute();
      }
    },
    async findOf(applicationId, clientId) {
      const query = select(db)
        .where("applicationId", "=", applicationId as NonNullable<OauthClientRow["applicationId"]>) // looked up only
        .where("clientId", "=", clientId);
      return optional(await query.orderBy("seq").executeTakeFirst());
    },
    async list({ teamId, teamIds, applicationId, keyManagerId, clientId, source, disabled }, page) {
      const { after } = openNumberedPage("oauth-clients", page);
      let query = select(db).where("seq", ">", after);
      if (teamId !== undefined) query = query.where("teamId", "=", teamId);
      if (teamIds !== undefined) query = query.where("teamId", "in", [...teamIds]);
      if (applicationId !== undefined) {
        query = query.where("applicationId", "=", applicationId as NonNullable<OauthClientRow["applicationId"]>); // a plain string of the caller; equality cannot confuse it
      }
      if (keyManagerId !== undefined) {
        query = query.where("keyManagerId", "=", keyManagerId as OauthClientRow["keyManagerId"]); // as above
      }
      if (clientId !== undefined) query = query.where("clientId", "=", clientId);
      if (source !== undefined) query = query.where("source", "=", source);
      if (disabled !== undefined) query = query.where("disabled", "=", disabled ? 1 : 0);
      const found = await query
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("oauth-clients", page, found, { row: fromStored, position: (row) => row.seq });
    },
  };
}

function oauthClientWrites(db: Kysely<CatalogTables>): Pick<OauthClientTable, "insert" | "update" | "delete"> {
  return {
    async insert(client) {
      const insert = db.insertInto("oauthClients").values(toStored(client));
      await explainConflict(takenText(client), insert.execute());
    },
    async update(client, expectedVersion) {
      const { id, applicationId, teamId, name, environment, metadata, disabled, version, updatedAtMs } =
        toStored(client);
      const update = db
        .updateTable("oauthClients")
        .set({ applicationId, teamId, name, environment, metadata, disabled, version, updatedAtMs })
        .where("id", "=", id)
        .where("version", "=", expectedVersion);
      const result = await explainConflict(takenText(client), update.executeTakeFirst());
      return result.numUpdatedRows > 0n;
    },
    async delete(id, expectedVersion) {
      const result = await db
        .deleteFrom("oauthClients")
        .where("id", "=", idOf(id))
        .where("version", "=", expectedVersion)
        .executeTakeFirst();
      if (result.numDeletedRows === 0n) return false;
      await db.deleteFrom("references").where("holderType", "=", "oauthClient").where("holderId", "=", id).execute();
      return true;
    },
  };
}

function takenText({ name, clientId }: OauthClientRow): string {
  return `The application has an OAuth client called ${name} already, or the key manager one with the id ${clientId}.`;
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("oauthClients").selectAll();
}

function idOf(id: string): OauthClientRow["id"] {
  return id as OauthClientRow["id"]; // looked up only: an id of another kind is in no row
}

// Not every database's driver binds booleans.
function toStored(client: OauthClientRow) {
  return { ...client, metadata: JSON.stringify(client.metadata), disabled: client.disabled ? 1 : 0 };
}

function fromStored({
  seq: _,
  lastUsedAtMs: _used,
  ...row
}: Selectable<CatalogTables["oauthClients"]>): OauthClientRow {
  const metadata = parseJson(row.metadata) as OauthClientRow["metadata"]; // written by toStored only
  return { ...row, metadata, disabled: row.disabled !== 0 };
}

function optional(row: Selectable<CatalogTables["oauthClients"]> | undefined): OauthClientRow | undefined {
  return row && fromStored(row);
}
