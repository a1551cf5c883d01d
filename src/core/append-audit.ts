import type { AuditEntry, AuditRow } from "./audit-chain.ts";
import type { SignedHead } from "./audit-signature.ts";
import { readSignedHead, signedHeadSetting, storeSignedHead } from "./audit-signature.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { CoreContext } from "./core-context.ts";

/**
 * Adds a row to the audit and signs the new head, in the transaction of the write that it tells of. A head that does not
 * fit the rows keeps no write from happening, but is never covered up: signatures begin anew there, and say so for ever.
 */
export async function appendAudit(
  context: CoreContext,
  transaction: CatalogTransaction,
  entry: AuditEntry,
): Promise<AuditRow> {
  const before = await readSignedHead(transaction, context.pepper);
  const row = await transaction.audit.insert(entry);
  const isContinued =
    before !== undefined && before !== "forged" && before.seq === row.seq - 1 && before.hash === row.previousHash;
  const line = isContinued ? before : beginning(before, row);
  if (line.began === "mismatch" && line.signedFrom === row.seq) {
    context.log.error(
      { seq: row.seq },
      "the audit trail was changed outside of Gatehouse; see: gatehouse audit verify",
    );
  }
  await storeSignedHead(transaction, context.pepper, { ...line, seq: row.seq, hash: row.hash });
  return row;
}

/**
 * Signs what is there where nothing was ever signed, as after an upgrade from a version without signatures. For the start
 * only: while the process runs a head that has gone is a fault and no upgrade.
 */
export async function beginSigning({ catalog, pepper, clock, log }: CoreContext): Promise<void> {
  const head = await catalog.read.audit.head();
  if (head === undefined || (await catalog.read.settings.get(signedHeadSetting)) !== undefined) return;
  await catalog.transaction(async (transaction) => {
    const last = await transaction.audit.head();
    if (last === undefined || (await readSignedHead(transaction, pepper)) !== undefined) return;
    const began = { signedFrom: last.seq + 1, signedSinceMs: clock.now(), began: "upgraded" } as const;
    await storeSignedHead(transaction, pepper, { ...last, ...began });
    log.warn({ rows: last.seq }, "the audit trail is signed from now on; the rows before were not");
  });
}

type Line = Pick<SignedHead, "signedFrom" | "signedSinceMs" | "began">;

function beginning(before: SignedHead | "forged" | undefined, row: AuditRow): Line {
  const isFirst = row.seq === 1 && before === undefined;
  return { signedFrom: row.seq, signedSinceMs: row.atMs, began: isFirst ? "new" : "mismatch" };
}
