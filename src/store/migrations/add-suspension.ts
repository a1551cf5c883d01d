import type { Migration } from "./migration.ts";

/** Which policies and rules keep a deployed API from answering; null where it answers. */
export const addSuspension: Migration = {
  number: 16,
  name: "add-suspension",
  async up(db) {
    await db.schema.alterTable("compliance").addColumn("suspension", "text").execute();
  },
};
