import { createHash } from "node:crypto";
import { canonicalJson } from "../kernel/canonical-json.ts";

/** Who did what to what, and from where. Never holds a secret's value or a key. */
export interface AuditEntry {
  readonly id: string;
  readonly atMs: number;
  /** What `Actor.id` was: the name of a principal, or the part of the product that acted by itself. */
  readonly actor: string;
  /** What `Actor.type` was. */
  readonly actorType: string;
  readonly action: string;
  readonly kind: string;
  readonly resourceId: string;
  readonly resourceName: string;
  /** Empty for what belongs to the installation. */
  readonly teamId: string;
  /** What changed, as far as it may be told. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** Of whoever asked; null where the product acted by itself. */
  readonly clientAddress: string | null;
  /** The `x-request-id` of the call that asked for it; null where none did. */
  readonly requestId: string | null;
}

/** The end of the chain: the number and hash of its last row. */
export interface AuditHead {
  readonly seq: number;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** An entry in its place in the chain. */
export interface AuditRow extends AuditEntry, AuditHead {
  /** The `hash` of the row before, or of the genesis. */
  readonly previousHash: string;
}

/** The setting that holds the installation's id, which is made once and never changes. */
export const installationSetting = "installation-id";

/** What the first row stands on: no two installations' chains have a row in common. */
export function auditGenesis(installation: string): AuditHead {
  return { seq: 0, hash: sha256(canonicalJson({ v: 1, installation })) };
}

/** The entry as the row after `head`. Its hash is over the RFC 8785 form of all its members, number and former hash included. */
export function chainEntry(entry: AuditEntry, head: AuditHead): AuditRow {
  const seq = head.seq + 1;
  return { ...entry, seq, previousHash: head.hash, hash: auditHash(entry, seq, head.hash) };
}

/** The hash that a row of this content must have. */
export function auditHash(entry: AuditEntry, seq: number, previousHash: string): string {
  const { id, atMs, actor, actorType, action, kind, resourceId, resourceName, teamId, detail } = entry;
  const { clientAddress, requestId } = entry;
  const what = { id, atMs, actor, actorType, action, kind, resourceId, resourceName, teamId, detail };
  return sha256(canonicalJson({ v: 1, seq, previousHash, ...what, clientAddress, requestId }));
}

function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
