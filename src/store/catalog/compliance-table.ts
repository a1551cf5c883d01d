import { setImmediate as nextTurn } from "node:timers/promises";
import type { Kysely, Selectable } from "kysely";
import type { ComplianceRow, ComplianceTable } from "../../core/compliance-tables.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { CatalogTables } from "./catalog-tables.ts";
import { closePage, openPage } from "./page-cursor.ts";

/** How resources stand to the rules, as `ComplianceTable` promises it. */
export function complianceTable(db: Kysely<CatalogTables>): ComplianceTable {
  const select = () => db.selectFrom("compliance").selectAll();
  return {
    async enqueue(what, nowMs) {
      const ids = "ids" in what ? what.ids : await idsOfKinds(db, what.kinds);
      for (let at = 0; at < ids.length; at += pieceRows) {
        if (at > 0) await nextTurn();
        await markPiece(db, ids.slice(at, at + pieceRows), nowMs);
      }
    },
    async next(except = []) {
      const row = await select()
        .where("dueAtMs", "is not", null)
        .$if(except.length > 0, (query) => query.where("artifactId", "not in", [...except]))
        .orderBy("dueAtMs")
        .orderBy("artifactId")
        .limit(1)
        .executeTakeFirst();
      return row && fromStored(row);
    },
    async keep({ artifactId, asked, ...found }) {
      await db.updateTable("compliance").set(toStored(found)).where("artifactId", "=", artifactId).execute();
      await this.pass(artifactId, asked);
    },
    async pass(artifactId, asked) {
      await db
        .updateTable("compliance")
        .set({ dueAtMs: null })
        .where("artifactId", "=", artifactId)
        .where("asked", "=", asked)
        .execute();
    },
    suspended: () => allSuspended(db),
    async find(artifactId) {
      const row = await select().where("artifactId", "=", artifactId).executeTakeFirst();
      return row && fromStored(row);
    },
    async list({ kind, status, teamIds }, page) {
      const { after } = openPage("compliance", page);
      const found = await select()
        .$if(after !== undefined, (query) => query.where("artifactId", ">", after ?? ""))
        .$if(kind !== undefined, (query) => query.where("kind", "=", kind ?? ""))
        .$if(status !== undefined, (query) => query.where("status", "=", status ?? "PENDING"))
        .$if(teamIds !== undefined, (query) => query.where("teamId", "in", [...(teamIds ?? [])]))
        .orderBy("artifactId")
        .limit(page.limit + 1)
        .execute();
      return closePage("compliance", page, found, { row: fromStored, position: ({ artifactId }) => artifactId });
    },
  };
}

/**
 * Rows that are marked at a time. A row is written anew with all that was found, and a thousand in one statement keep the
 * event loop for a third of a second; between two pieces, all of one transaction, others get their turn.
 */
const pieceRows = 25;

async function idsOfKinds(db: Kysely<CatalogTables>, kinds: readonly string[]): Promise<readonly string[]> {
  if (kinds.length === 0) return [];
  const rows = await db
    .selectFrom("resources")
    .select("id")
    .where("kind", "in", [...kinds])
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

async function markPiece(db: Kysely<CatalogTables>, ids: readonly string[], nowMs: number): Promise<void> {
  await db
    .insertInto("compliance")
    .columns(["artifactId", "kind", "name", "teamId", "status", "policies", "dueAtMs", "asked"])
    .expression((query) =>
      query
        .selectFrom("resources")
        .select(({ val }) => [
          "id",
          "kind",
          "name",
          "teamId",
          val("PENDING").as("status"),
          val("[]").as("policies"),
          val(nowMs).as("dueAtMs"),
          val(1).as("asked"),
        ])
        .where("id", "in", [...ids]),
    )
    .onConflict((conflict) =>
      conflict.column("artifactId").doUpdateSet(({ ref, fn, val, eb }) => ({
        dueAtMs: fn.coalesce(ref("compliance.dueAtMs"), val(nowMs)),
        asked: eb(ref("compliance.asked"), "+", 1),
      })),
    )
    .execute();
}

async function allSuspended(db: Kysely<CatalogTables>): ReturnType<ComplianceTable["suspended"]> {
  const rows = await db
    .selectFrom("compliance")
    .select(["artifactId", "suspension"])
    .where("suspension", "is not", null)
    .execute();
  return new Map(
    rows.flatMap((row) => {
      const suspension = suspensionOf(row.suspension);
      return suspension === null ? [] : [[row.artifactId, suspension] as const];
    }),
  );
}

function toStored({ status, score, policies, suspension, evaluatedAtMs }: Omit<Kept, "artifactId" | "asked">) {
  const stored = suspension === null ? null : JSON.stringify(suspension);
  return { status, score, policies: JSON.stringify(policies), suspension: stored, evaluatedAtMs };
}

type Kept = Parameters<ComplianceTable["keep"]>[0];

function fromStored({ policies, suspension, ...row }: Selectable<CatalogTables["compliance"]>): ComplianceRow {
  return {
    ...row,
    policies: parseJson(policies) as ComplianceRow["policies"], // written by `keep` only
    suspension: suspensionOf(suspension),
  };
}

function suspensionOf(stored: string | null): ComplianceRow["suspension"] {
  return stored === null ? null : (parseJson(stored) as ComplianceRow["suspension"]); // written by `keep` only
}
