import { equalInConstantTime, hmacSha256 } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { AuditHead } from "./audit-chain.ts";
import { auditKey, installationOf, readSignedHead } from "./audit-signature.ts";
import type { CoreContext } from "./core-context.ts";

/** What the end of the audit was at a moment; kept outside of the database, it shows that nothing was cut off since. */
export interface AuditCheckpoint extends AuditHead {
  readonly installation: string;
  readonly atMs: number;
}

/**
 * A signed line that stands for all rows so far: `gac1.<installation>.<row>.<milliseconds>.<hash>.<signature>`. It holds
 * nothing secret. Throws `resource.invalid` where the head does not fit the rows: what was changed is not to be blessed.
 */
export async function makeCheckpoint({ catalog, clock, pepper }: CoreContext): Promise<string> {
  const { read } = catalog;
  const signed = await readSignedHead(read, pepper);
  const [row] = typeof signed === "object" ? await read.audit.after(signed.seq - 1, 1) : [];
  if (typeof signed !== "object" || row?.hash !== signed.hash) {
    throw new GatewayError(
      "resource.invalid",
      "The audit trail does not fit its signature, so there is nothing to make a checkpoint of. See: gatehouse audit verify",
    );
  }
  const { seq, hash } = signed;
  const checkpoint = { installation: await installationOf(read), seq, hash, atMs: clock.now() };
  return `${unsigned(checkpoint)}.${macOf(checkpoint, pepper).toString("hex")}`;
}

/**
 * Reads a checkpoint of this installation. Throws `request.invalid` for a text that is none, and for one that this
 * installation has not signed.
 */
export async function readCheckpoint({ catalog, pepper }: CoreContext, text: string): Promise<AuditCheckpoint> {
  const match = checkpointPattern.exec(text.trim());
  if (match === null) throw refused("This is no checkpoint; `gatehouse audit checkpoint` prints one.");
  const [, installation = "", seq, atMs, hash = "", mac = ""] = match;
  const checkpoint = { installation, seq: Number(seq), atMs: Number(atMs), hash };
  if (installation !== (await installationOf(catalog.read))) {
    throw refused(`The checkpoint is of another installation: ${installation}.`);
  }
  if (!equalInConstantTime(Buffer.from(mac, "hex"), macOf(checkpoint, pepper))) {
    throw refused("The checkpoint was not signed by this installation, or was altered since.");
  }
  return checkpoint;
}

const checkpointPattern = /^gac1\.(inst_[0-9a-f]{24})\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{64})\.([0-9a-f]{64})$/;

function unsigned({ installation, seq, atMs, hash }: AuditCheckpoint): string {
  return `gac1.${installation}.${seq}.${atMs}.${hash}`;
}

function macOf(checkpoint: AuditCheckpoint, pepper: CoreContext["pepper"]): Buffer {
  return hmacSha256(auditKey(pepper), `checkpoint\n${unsigned(checkpoint)}`);
}

function refused(message: string): GatewayError {
  return new GatewayError("request.invalid", message, { param: "checkpoint" });
}
