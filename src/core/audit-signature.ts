import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { deriveKey, equalInConstantTime, hmacSha256 } from "../kernel/crypto.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { AuditHead } from "./audit-chain.ts";
import { installationSetting } from "./audit-chain.ts";
import type { CatalogTransaction } from "./catalog.ts";
import type { NamedKey } from "./core-context.ts";

/**
 * The head of the chain as it is kept beside the rows, under a key that is not in the database in the clear: whoever has
 * only the database can make a chain that fits in itself, but not this.
 */
export interface SignedHead extends AuditHead {
  /** The first row of an unbroken line of signatures: 1, or where they began anew. */
  readonly signedFrom: number;
  /** When that was, milliseconds since the epoch. */
  readonly signedSinceMs: number;
  /**
   * Why signatures began at `signedFrom`: the installation is new; rows were there before there were signatures; or the
   * head before did not fit its rows, which only a hand in the database can bring about.
   */
  readonly began: "new" | "upgraded" | "mismatch";
}

/** Where the signed head is kept. */
export const signedHeadSetting = "audit-head";

/** The key that signs heads and checkpoints; of the installation's pepper, so it lives as long as the installation. */
export function auditKey(pepper: NamedKey): KeyObject {
  return deriveKey(pepper.key, "gatehouse/audit-chain");
}

/** The signed head; `undefined` where there is none, `"forged"` for one that this installation has not signed. */
export async function readSignedHead(
  transaction: CatalogTransaction,
  pepper: NamedKey,
): Promise<SignedHead | "forged" | undefined> {
  const text = await transaction.settings.get(signedHeadSetting);
  if (text === undefined) return undefined;
  const parsed = storedSchema.safeParse(parseLoosely(text));
  if (!parsed.success) return "forged";
  const { mac, ...head } = parsed.data;
  const expected = macOf(auditKey(pepper), await installationOf(transaction), head);
  return equalInConstantTime(Buffer.from(mac, "hex"), expected) ? head : "forged";
}

/** Signs a head and puts it in the place of the one before. */
export async function storeSignedHead(
  transaction: CatalogTransaction,
  pepper: NamedKey,
  head: SignedHead,
): Promise<void> {
  const mac = macOf(auditKey(pepper), await installationOf(transaction), head).toString("hex");
  await transaction.settings.set(signedHeadSetting, JSON.stringify({ ...head, mac }));
}

/** The installation's id; made by the migration that chained the audit. */
export async function installationOf(transaction: CatalogTransaction): Promise<string> {
  return (await transaction.settings.get(installationSetting)) ?? "";
}

const storedSchema = z.strictObject({
  seq: z.int().min(0),
  hash: z.string(),
  signedFrom: z.int().min(1),
  signedSinceMs: z.int(),
  began: z.enum(["new", "upgraded", "mismatch"]),
  mac: z.string(),
});

function macOf(key: KeyObject, installation: string, head: SignedHead): Buffer {
  const { seq, hash, signedFrom, signedSinceMs, began } = head;
  return hmacSha256(key, ["head", installation, seq, hash, signedFrom, signedSinceMs, began].join("\n"));
}

function parseLoosely(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined; // what is no JSON is no head of ours
  }
}
