import type { Kysely, Selectable } from "kysely";
import type { CatalogTransaction } from "../../core/catalog.ts";
import type { Resource } from "../../core/resource.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { explainConflict } from "./explain-conflict.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Resources, as `CatalogTransaction` promises them. */
export function resourceTable(db: Kysely<CatalogTables>): CatalogTransaction["resources"] {
  return {
    async insert(resource) {
      const insert = db.insertInto("resources").values(toStored(resource));
      await explainConflict(`A ${resource.kind} called ${resource.name} exists already.`, insert.execute());
    },
    async update(resource, expectedVersion) {
      const { labels, version, spec, updatedAtMs } = toStored(resource);
      const result = await db
        .updateTable("resources")
        .set({ labels, version, spec, updatedAtMs })
        .where("id", "=", resource.id)
        .where("version", "=", expectedVersion)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async delete(id, expectedVersion) {
      const result = await db
        .deleteFrom("resources")
        .where("id", "=", id)
        .where("version", "=", expectedVersion)
        .executeTakeFirst();
      if (result.numDeletedRows === 0n) return false;
      await db.deleteFrom("references").where("holderType", "=", "resource").where("holderId", "=", id).execute();
      return true;
    },
    async find(kind, name) {
      const query = db.selectFrom("resources").selectAll().where("kind", "=", kind).where("name", "=", name);
      return optional(await query.executeTakeFirst());
    },
    async findById(id) {
      return optional(await db.selectFrom("resources").selectAll().where("id", "=", id).executeTakeFirst());
    },
    async list({ kind, teamId, teamIds, ids }, page) {
      const { after } = openNumberedPage("resources", page);
      const found = await db
        .selectFrom("resources")
        .selectAll()
        .where("kind", "=", kind)
        .$if(teamId !== undefined, (query) => query.where("teamId", "=", teamId ?? ""))
        .$if(teamIds !== undefined, (query) => query.where("teamId", "in", [...(teamIds ?? [])]))
        .$if(ids !== undefined, (query) => query.where("id", "in", [...(ids ?? [])]))
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(page.limit + 1)
        .execute();
      return closePage("resources", page, found, { row: fromStored, position: (row) => row.seq });
    },
    async all(kind) {
      const query = db.selectFrom("resources").selectAll().where("kind", "=", kind).orderBy("name");
      return (await query.execute()).map(fromStored);
    },
  };
}

function toStored(resource: Resource) {
  return { ...resource, labels: JSON.stringify(resource.labels), spec: JSON.stringify(resource.spec) };
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["resources"]>): Resource {
  return {
    ...row,
    labels: parseJson(row.labels) as Resource["labels"], // written by toStored only
    spec: parseJson(row.spec),
  };
}

function optional(row: Selectable<CatalogTables["resources"]> | undefined): Resource | undefined {
  return row && fromStored(row);
}
