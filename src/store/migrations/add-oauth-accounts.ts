import type { Migration } from "./migration.ts";

/**
 * Whose a piece of the authorization server's state is, so that it ends with the account's password. What is there from
 * before tells it only sealed, so it goes: people log in and agree once more.
 */
export const addOauthAccounts: Migration = {
  number: 10,
  name: "add-oauth-accounts",
  async up(db) {
    await db.schema.alterTable("oauth_state").addColumn("account_id", "text").execute();
    await db.schema.createIndex("oauth_state_by_account_id").on("oauth_state").column("account_id").execute();
    const state = db.withTables<{ oauth_state: { readonly model: string } }>();
    await state
      .deleteFrom("oauth_state")
      .where("model", "in", ["Session", "Grant", "RefreshToken", "AuthorizationCode"])
      .execute();
  },
};
