import type { Migration } from "./migration.ts";

/** What a key may use up, and the labels that its use is counted under. Keys from before have none. */
export const addKeyBudgets: Migration = {
  number: 5,
  name: "add-key-budgets",
  async up(db) {
    for (const [column, empty] of [
      ["budgets", "[]"],
      ["labels", "{}"],
    ] as const) {
      await db.schema
        .alterTable("api_keys")
        .addColumn(column, "text", (definition) => definition.notNull().defaultTo(empty))
        .execute();
    }
  },
};
