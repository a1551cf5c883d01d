import type { Migration } from "./migration.ts";

/** When a client last got a token, so that those that registered themselves and are used no more can be found. */
export const addClientLastUse: Migration = {
  number: 7,
  name: "add-client-last-use",
  async up(db) {
    await db.schema.alterTable("oauth_clients").addColumn("last_used_at_ms", "bigint").execute();
  },
};
