import type { Migration } from "./migration.ts";

/**
 * Whether a client may get and use tokens, and which client a piece of the authorization server's state is of, so that it
 * ends with the client. What is there from before tells it only sealed, so it goes: people agree once more.
 */
export const addClientState: Migration = {
  number: 12,
  name: "add-client-state",
  async up(db) {
    const isDisabled = db.schema.alterTable("oauth_clients");
    await isDisabled.addColumn("disabled", "integer", (column) => column.notNull().defaultTo(0)).execute();
    await db.schema.alterTable("oauth_state").addColumn("client_id", "text").execute();
    await db.schema.createIndex("oauth_state_by_client_id").on("oauth_state").column("client_id").execute();
    const state = db.withTables<{ oauth_state: { readonly model: string } }>();
    await state
      .deleteFrom("oauth_state")
      .where("model", "in", ["Grant", "RefreshToken", "AuthorizationCode"])
      .execute();
  },
};
