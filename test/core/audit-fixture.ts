import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AuditFinding, AuditGuarantee } from "../../src/core/verify-audit.ts";
import { verifyAudit } from "../../src/core/verify-audit.ts";
import { audit, inWrite } from "../../src/core/write.ts";
import { openSqliteCatalog } from "../../src/store/sqlite/open-sqlite-catalog.ts";
import type { CoreFixture } from "./core-fixture.ts";
import { admin, coreFixture } from "./core-fixture.ts";

/** A core whose catalog is a file, so that a test can reach past it into the database. */
export interface AuditFixture extends AsyncDisposable {
  readonly core: CoreFixture;
  readonly context: CoreFixture["context"];
  /** The database's file. */
  readonly path: string;
  /** Adds rows, one write each. */
  write(count: number, detail?: object): Promise<void>;
  /** Does what only somebody with the database can, triggers taken off before. */
  tamper(work: (database: DatabaseSync) => void): void;
  /** Verifies to the end. */
  verify(input?: { readonly limit?: number; readonly checkpoint?: string }): Promise<Verified>;
}

export interface Verified {
  readonly rows: number;
  readonly findings: readonly AuditFinding[];
  readonly guarantee: AuditGuarantee | undefined;
}

export async function auditFixture(rows = 0): Promise<AuditFixture> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-audit-"));
  const path = join(directory, "catalog.db");
  const core = await coreFixture({ empty: true });
  const catalog = await openSqliteCatalog({ path });
  const context = { ...core.context, catalog };
  const fixture: AuditFixture = {
    core,
    context,
    path,
    async write(count, detail = { version: 1 }) {
      for (let index = 0; index < count; index += 1) {
        const subject = { kind: "Plan", id: `plan_${index}`, name: `p${index}`, teamId: "team_1" };
        await inWrite(context, admin, (write) => audit(write, "api.published", subject, { ...detail, index }));
      }
    },
    tamper(work) {
      using database = new DatabaseSync(path);
      for (const change of ["update", "delete", "replace"]) {
        database.exec(`drop trigger if exists audit_refuses_${change}`);
      }
      work(database);
    },
    async verify({ limit = 7, checkpoint } = {}) {
      const findings: AuditFinding[] = [];
      let seen = 0;
      for (let cursor: string | undefined; ; ) {
        const page = await verifyAudit(context, { limit, cursor, checkpoint });
        findings.push(...page.findings);
        seen += page.rows;
        cursor = page.next;
        if (cursor === undefined) return { rows: seen, findings, guarantee: page.guarantee };
      }
    },
    async [Symbol.asyncDispose]() {
      await catalog[Symbol.asyncDispose]();
      await core[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await fixture.write(rows);
  return fixture;
}
