import { GatewayError } from "../kernel/errors.ts";
import type { AuditHead, AuditRow } from "./audit-chain.ts";
import { auditGenesis, auditHash } from "./audit-chain.ts";
import type { AuditCheckpoint } from "./audit-checkpoint.ts";
import { readCheckpoint } from "./audit-checkpoint.ts";
import type { SignedHead } from "./audit-signature.ts";
import { installationOf, readSignedHead } from "./audit-signature.ts";
import type { CoreContext } from "./core-context.ts";

/** Something that cannot have come about by writing rows. */
export interface AuditFinding {
  readonly type: "changed" | "removed" | "moved" | "truncated" | "signature" | "checkpoint";
  /** The row at which it shows. */
  readonly seq: number;
  readonly detail: string;
}

/** What came of checking one page of the audit. */
export interface AuditVerification {
  /** Rows of this page. */
  readonly rows: number;
  /** At most a hundred of a page; one fault may show at two rows. */
  readonly findings: readonly AuditFinding[];
  /** Where the next page begins; undefined at the end. */
  readonly next: string | undefined;
  /** The last row that was seen. */
  readonly head: AuditHead;
  /** What is known of the whole, at the end; undefined before. */
  readonly guarantee: AuditGuarantee | undefined;
}

/** How much a sound chain proves. */
export interface AuditGuarantee {
  readonly installation: string;
  /** From this row on nobody with only the database can have changed anything unseen; undefined: nowhere. */
  readonly signed: Pick<SignedHead, "signedFrom" | "signedSinceMs" | "began"> | undefined;
  /** Up to this row nothing was cut off; undefined without a checkpoint. */
  readonly anchored: Pick<AuditCheckpoint, "seq" | "atMs"> | undefined;
}

export interface VerifyAuditInput {
  /** Rows of a page, 1 to 5000. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  /** The same on every page. */
  readonly checkpoint?: string | undefined;
}

const maxFindings = 100;

/**
 * Checks one page of the audit's chain; the last page also holds the signed head and the checkpoint against it. Writers go
 * on meanwhile: rows that come later belong to a later page. Throws `request.invalid` for a cursor or a checkpoint that is
 * none of ours.
 */
export async function verifyAudit(context: CoreContext, input: VerifyAuditInput): Promise<AuditVerification> {
  const { read } = context.catalog;
  const anchor = input.checkpoint === undefined ? undefined : await readCheckpoint(context, input.checkpoint);
  const installation = await installationOf(read);
  const start = input.cursor === undefined ? auditGenesis(installation) : parseCursor(input.cursor);
  const rows = await read.audit.after(start.seq, input.limit);
  const findings = [...checkRows(start, rows, anchor)];
  const head = rows.at(-1) ?? start;
  const page = { rows: rows.length, head: { seq: head.seq, hash: head.hash } };
  const goOn = { ...page, findings: findings.slice(0, maxFindings), next: cursorOf(head), guarantee: undefined };
  if (rows.length === input.limit) return goOn;
  const signed = await readSignedHead(read, context.pepper);
  const isBehind = typeof signed === "object" && signed.seq > head.seq;
  if (isBehind && (await read.audit.after(head.seq, 1)).length > 0) return goOn; // written since the page was read
  findings.push(...checkEnd(head, signed, anchor));
  const line = typeof signed === "object" && signed.hash === head.hash ? signed : undefined;
  return {
    ...page,
    findings: findings.slice(0, maxFindings),
    next: undefined,
    guarantee: {
      installation,
      signed: line && lineOf(line),
      anchored: anchor && { seq: anchor.seq, atMs: anchor.atMs },
    },
  };
}

function* checkRows(
  start: AuditHead,
  rows: readonly AuditRow[],
  anchor: AuditCheckpoint | undefined,
): Generator<AuditFinding> {
  let before = start;
  for (const row of rows) {
    const { seq, hash, previousHash } = row;
    if (seq !== before.seq + 1) {
      const gone = seq === before.seq + 2 ? `row ${before.seq + 1} is` : `rows ${before.seq + 1} to ${seq - 1} are`;
      yield { type: "removed", seq, detail: `${gone} not there` };
    } else if (previousHash !== before.hash) {
      yield {
        type: "moved",
        seq,
        detail: "does not follow the row before: one of them was replaced, inserted or moved",
      };
    }
    if (auditHash(row, seq, previousHash) !== hash) yield { type: "changed", seq, detail: "is not what was written" };
    if (anchor?.seq === seq && anchor.hash !== hash) {
      yield { type: "checkpoint", seq, detail: "is another row than when the checkpoint was made" };
    }
    before = row;
  }
}

function* checkEnd(
  { seq, hash }: AuditHead,
  signed: SignedHead | "forged" | undefined,
  anchor: AuditCheckpoint | undefined,
): Generator<AuditFinding> {
  if (anchor !== undefined && anchor.seq > seq) {
    yield { type: "truncated", seq, detail: `the checkpoint knows of ${anchor.seq} rows; the last are gone` };
  }
  if (signed === undefined) {
    // Every installation begins with rows, so nothing at all is a finding too.
    yield { type: "signature", seq, detail: "the signature of the last row is gone" };
  } else if (signed === "forged") {
    yield { type: "signature", seq, detail: "the signature of the last row is not this installation's" };
  } else if (signed.seq > seq) {
    yield { type: "truncated", seq, detail: `${signed.seq} rows were signed; the last are gone` };
  } else if (signed.seq < seq) {
    yield { type: "signature", seq, detail: `only ${signed.seq} rows were signed; those behind were put there` };
  } else if (signed.hash !== hash) {
    yield { type: "signature", seq, detail: "another last row than this one was signed" };
  } else if (signed.began === "mismatch") {
    const since = new Date(signed.signedSinceMs).toISOString();
    yield {
      type: "signature",
      seq: signed.signedFrom,
      detail: `the rows before did not fit their signature on ${since}`,
    };
  }
}

function lineOf({ signedFrom, signedSinceMs, began }: SignedHead): AuditGuarantee["signed"] {
  return { signedFrom, signedSinceMs, began };
}

function cursorOf({ seq, hash }: AuditHead): string {
  return `${seq}.${/^[0-9a-f]{64}$/.test(hash) ? hash : "0".repeat(64)}`; // a damaged one must not break off the check
}

function parseCursor(text: string): AuditHead {
  const [, seq, hash] = /^(\d{1,15})\.([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new GatewayError("request.invalid", "The cursor is not one of this list; begin again without it.", {
    param: "cursor",
  });
}
