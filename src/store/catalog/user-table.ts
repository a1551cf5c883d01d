import type { Kysely, Selectable } from "kysely";
import type { UserRow, UserTable } from "../../core/identity-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Users, as `UserTable` promises them. */
export function userTable(db: Kysely<CatalogTables>): UserTable {
  return {
    async insert(user) {
      const insert = db.insertInto("users").values(toStored(user));
      await explainConflict(takenText(user), insert.execute());
    },
    async update(user, expectedVersion) {
      const { id, name: _name, ...changing } = toStored(user);
      const update = db.updateTable("users").set(changing).where("id", "=", id).where("version", "=", expectedVersion);
      const result = await explainConflict(takenText(user), update.executeTakeFirst());
      return result.numUpdatedRows > 0n;
    },
    async delete(id, expectedVersion) {
      const result = await db
        .deleteFrom("users")
        .where("id", "=", idOf(id))
        .where("version", "=", expectedVersion)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
    find: async (name) => optional(await select(db).where("name", "=", name).executeTakeFirst()),
    findById: async (id) => optional(await select(db).where("id", "=", idOf(id)).executeTakeFirst()),
    async findSso(issuer, subject) {
      const query = select(db).where("ssoIssuer", "=", issuer).where("ssoSubject", "=", subject);
      return optional(await query.executeTakeFirst());
    },
    async admins(limit) {
      const found = await select(db)
        .where("disabled", "=", 0)
        .where("roles", "like", '%"admin"%')
        .orderBy("seq")
        .limit(limit)
        .execute();
      return found.map(fromStored);
    },
    async list(page) {
      const { after } = openNumberedPage("users", page);
      const found = await select(db)
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("users", page, found, { row: fromStored, position: (row) => row.seq });
    },
  };
}

function takenText({ name }: UserRow): string {
  return `A user called ${name} exists already, or one who signs in as the same subject.`;
}

function select(db: Kysely<CatalogTables>) {
  return db.selectFrom("users").selectAll();
}

function idOf(id: string): UserRow["id"] {
  return id as UserRow["id"]; // looked up only: an id of another kind is in no row
}

// Not every database's driver binds booleans.
function toStored(user: UserRow) {
  return {
    ...user,
    disabled: user.disabled ? 1 : 0,
    roles: JSON.stringify(user.roles),
    teams: JSON.stringify(user.teams),
  };
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["users"]>): UserRow {
  return {
    ...row,
    disabled: row.disabled !== 0,
    roles: parseJson(row.roles) as UserRow["roles"], // both were written by toStored only
    teams: parseJson(row.teams) as UserRow["teams"],
  };
}

function optional(row: Selectable<CatalogTables["users"]> | undefined): UserRow | undefined {
  return row && fromStored(row);
}
