import type { Kysely } from "kysely";
import { sql } from "kysely";
import { auditGenesis, chainEntry, installationSetting } from "../../core/audit-chain.ts";
import { canonicalJson } from "../../kernel/canonical-json.ts";
import { newId } from "../../kernel/ids.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { Migration, SchemaDialect } from "./migration.ts";

/**
 * Chains the audit by hashes, tells who asked and from where, and makes its rows unchangeable. Rows that are there are
 * chained as they stand; of them it is not known from where they were asked for.
 */
export const chainAudit: Migration = {
  number: 4,
  name: "chain-audit",
  async up(db, dialect) {
    const tables = db as Kysely<ChainedTables>; // as the steps before have made them, and the columns added here
    await addColumns(db);
    const installation = newId("installation");
    await tables.insertInto("settings").values({ name: installationSetting, value: installation }).execute();
    await chainRows(tables, installation);
    await protect(db, dialect);
  },
};

interface ChainedTables {
  readonly settings: { readonly name: string; readonly value: string };
  readonly audit: {
    readonly seq: number;
    readonly id: string;
    readonly at_ms: number;
    readonly actor: string;
    readonly actor_type: string;
    readonly action: string;
    readonly kind: string;
    readonly resource_id: string;
    readonly resource_name: string;
    readonly team_id: string;
    readonly detail: string;
    readonly client_address: string | null;
    readonly request_id: string | null;
    readonly previous_hash: string;
    readonly hash: string;
  };
}

async function addColumns(db: Kysely<unknown>): Promise<void> {
  for (const name of ["actor_type", "previous_hash", "hash"]) {
    await db.schema
      .alterTable("audit")
      .addColumn(name, "text", (column) => column.notNull().defaultTo(""))
      .execute();
  }
  for (const name of ["client_address", "request_id"]) {
    await db.schema.alterTable("audit").addColumn(name, "text").execute();
  }
  for (const columns of [["action", "seq"], ["actor", "seq"], ["kind", "seq"], ["at_ms"]]) {
    await db.schema
      .createIndex(`audit_by_${columns.join("_")}`)
      .on("audit")
      .columns(columns)
      .execute();
  }
}

const sliceRows = 500;

async function chainRows(db: Kysely<ChainedTables>, installation: string): Promise<void> {
  let head = auditGenesis(installation);
  for (let more = true; more; ) {
    const rows = await db
      .selectFrom("audit")
      .selectAll()
      .where("seq", ">", head.seq)
      .orderBy("seq")
      .limit(sliceRows)
      .execute();
    for (const row of rows) {
      const actorType = row.actor === "admin" ? "admin" : "system";
      const detail = parseJson(row.detail) as Readonly<Record<string, unknown>>; // written by this product only
      const entry = {
        id: row.id,
        atMs: row.at_ms,
        actor: row.actor,
        actorType,
        action: row.action,
        kind: row.kind,
        resourceId: row.resource_id,
        resourceName: row.resource_name,
        teamId: row.team_id,
        detail,
        clientAddress: null,
        requestId: null,
      } as const;
      const chained = chainEntry(entry, { seq: row.seq - 1, hash: head.hash });
      await db
        .updateTable("audit")
        .set({
          actor_type: actorType,
          detail: canonicalJson(detail),
          previous_hash: chained.previousHash,
          hash: chained.hash,
        })
        .where("seq", "=", row.seq)
        .execute();
      head = chained;
    }
    more = rows.length === sliceRows;
  }
}

async function protect(db: Kysely<unknown>, { refuseChanges }: SchemaDialect): Promise<void> {
  for (const statement of refuseChanges("audit")) await sql.raw(statement).execute(db);
}
