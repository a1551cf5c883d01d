import type { Kysely, Selectable } from "kysely";
import type { ApprovalRow, ApprovalTable } from "../../core/approval-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** Calls that wait for a person, as `ApprovalTable` promises them. */
export function approvalTable(db: Kysely<CatalogTables>): ApprovalTable {
  const select = () => db.selectFrom("approvals").selectAll();
  return {
    async insert(row) {
      await db.insertInto("approvals").values(toStored(row)).execute();
    },
    async update(row, expected) {
      const { state, reason, decidedBy, decidedAtMs, expiresAtMs } = row;
      const result = await db
        .updateTable("approvals")
        .set({ state, reason, decidedBy, decidedAtMs, expiresAtMs })
        .where("id", "=", row.id)
        .where("state", "=", expected)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    find: async (id) => optional(await select().where("id", "=", idOf(id)).executeTakeFirst()),
    findLive: async (fingerprint, nowMs) =>
      optional(
        await select()
          .where("fingerprint", "=", fingerprint)
          .where("expiresAtMs", ">", nowMs)
          .where("state", "!=", "used")
          .executeTakeFirst(),
      ),
    async countOpen(apiId, nowMs, callerHash) {
      const found = await db
        .selectFrom("approvals")
        .select((row) => row.fn.countAll<number>().as("count"))
        .where("apiId", "=", apiId)
        .where("state", "=", "pending")
        .where("expiresAtMs", ">", nowMs)
        .$if(callerHash !== undefined, (query) => query.where("callerHash", "=", callerHash ?? ""))
        .executeTakeFirst();
      return Number(found?.count ?? 0);
    },
    async list({ apiId, teamIds, openAtMs }, page) {
      const { after } = openNumberedPage("approvals", page);
      const found = await select()
        .$if(after > 0, (query) => query.where("seq", "<", after))
        .$if(apiId !== undefined, (query) => query.where("apiId", "=", apiId ?? ""))
        .$if(teamIds !== undefined, (query) => query.where("teamId", "in", [...(teamIds ?? [])]))
        .$if(openAtMs !== undefined, (query) =>
          query.where("state", "=", "pending").where("expiresAtMs", ">", openAtMs ?? 0),
        )
        .orderBy("seq", "desc")
        .limit(page.limit + 1)
        .execute();
      return closePage("approvals", page, found, { row: fromStored, position: ({ seq }) => seq });
    },
    async deleteExpired(beforeMs, limit) {
      const some = db.selectFrom("approvals").select("seq").where("expiresAtMs", "<", beforeMs).limit(limit);
      const result = await db.deleteFrom("approvals").where("seq", "in", some).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function idOf(id: string): ApprovalRow["id"] {
  return id as ApprovalRow["id"]; // looked up only: an id of another kind is in no row
}

function toStored({ holder, shown, ...row }: ApprovalRow) {
  return { ...row, holder: JSON.stringify(holder), shown: shown === null ? null : JSON.stringify(shown) };
}

// The columns were written by toStored only.
function fromStored({ seq: _, holder, shown, ...row }: Selectable<CatalogTables["approvals"]>): ApprovalRow {
  return {
    ...row,
    holder: parseJson(holder) as ApprovalRow["holder"],
    shown: shown === null ? null : (parseJson(shown) as ApprovalRow["shown"]),
  };
}

function optional(row: Selectable<CatalogTables["approvals"]> | undefined): ApprovalRow | undefined {
  return row && fromStored(row);
}
