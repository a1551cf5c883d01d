import type { Kysely, Selectable } from "kysely";
import type { WebhookDeliveryRow, WebhookDeliveryTable } from "../../core/webhook-tables.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openNumberedPage } from "./page-cursor.ts";

/** What webhooks are told, as `WebhookDeliveryTable` promises it. */
export function webhookDeliveryTable(db: Kysely<CatalogTables>): WebhookDeliveryTable {
  const select = () => db.selectFrom("webhookDeliveries").selectAll();
  return {
    async insert(row) {
      await db.insertInto("webhookDeliveries").values(row).execute();
    },
    async next(limit) {
      const found = await select().where("state", "=", "pending").orderBy("nextAtMs").limit(limit).execute();
      return found.map(fromStored);
    },
    async claim({ id, nextAtMs }, untilMs) {
      const result = await db
        .updateTable("webhookDeliveries")
        .set({ nextAtMs: untilMs })
        .where("id", "=", id)
        .where("state", "=", "pending")
        .where("nextAtMs", "=", nextAtMs)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async update({ id, state, attempts, nextAtMs, lastStatus, lastError, endedAtMs }) {
      await db
        .updateTable("webhookDeliveries")
        .set({ state, attempts, nextAtMs, lastStatus, lastError, endedAtMs })
        .where("id", "=", id)
        .execute();
    },
    async find(id) {
      const row = await select().where("id", "=", asId(id)).executeTakeFirst();
      return row && fromStored(row);
    },
    async list({ teamIds, state, source }, page) {
      const { after } = openNumberedPage("webhook-deliveries", page);
      const found = await select()
        .$if(after > 0, (query) => query.where("seq", "<", after))
        .$if(teamIds !== undefined, (query) => query.where("teamId", "in", [...(teamIds ?? [])]))
        .$if(state !== undefined, (query) => query.where("state", "=", state ?? "pending"))
        .$if(source !== undefined, (query) => query.where("source", "=", source ?? ""))
        .orderBy("seq", "desc")
        .limit(page.limit + 1)
        .execute();
      return closePage("webhook-deliveries", page, found, { row: fromStored, position: ({ seq }) => seq });
    },
    async deleteEnded(beforeMs, limit) {
      const some = db.selectFrom("webhookDeliveries").select("seq").where("endedAtMs", "<", beforeMs).limit(limit);
      const result = await db.deleteFrom("webhookDeliveries").where("seq", "in", some).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function asId(id: string): WebhookDeliveryRow["id"] {
  return id as WebhookDeliveryRow["id"]; // looked up only: an id of another kind is in no row
}

function fromStored({ seq: _, ...row }: Selectable<CatalogTables["webhookDeliveries"]>): WebhookDeliveryRow {
  return row;
}
