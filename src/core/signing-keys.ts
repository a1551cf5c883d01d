import type { JsonWebKey } from "node:crypto";
import { createHash, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { seal, unseal } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { SigningKeyRow } from "./identity-tables.ts";
import { keyManager, residentName } from "./key-manager.ts";
import { keyManagerRecord } from "./key-managers.ts";
import type { PublicJwk } from "./plane-message.ts";
import { notFound } from "./resource-changes.ts";
import { maxAccessTokenSeconds } from "./revocations.ts";
import type { Write } from "./write.ts";
import { audit, inWrite } from "./write.ts";

/** Algorithms that the resident key manager signs with. */
export type SigningAlgorithm = "ES256" | "RS256";

/** A signing key, opened. Never leaves the process. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly privateJwk: Readonly<Record<string, unknown>>;
}

/** Every published key, the one that signs first. */
export interface SigningKeys {
  readonly active: SigningKey;
  readonly others: readonly SigningKey[];
}

/** A day longer than a token may live, for clocks that are not quite right: after that nobody needs a retired key. */
const publishedAfterRetirementMs = (maxAccessTokenSeconds + 86_400) * 1_000;

/**
 * The resident key manager's keys; makes the first one of an algorithm when none signs with it. Changing the algorithm
 * retires the key of the other one, so that what it has signed stays valid.
 */
export async function openSigningKeys(context: CoreContext, alg: SigningAlgorithm): Promise<SigningKeys> {
  let rows = await context.catalog.read.signingKeys.all();
  if (activeOf(rows, alg) === undefined) {
    await rotateSigningKey(context, { type: "system", id: "resident" }, alg, { unlessActive: true });
    rows = await context.catalog.read.signingKeys.all();
  }
  const active = activeOf(rows, alg);
  if (active === undefined) throw new GatewayError("internal", "There is no key to sign tokens with.");
  const others = rows.filter((row) => row !== active);
  return { active: openKey(context, active), others: others.map((row) => openKey(context, row)) };
}

/**
 * Makes a new signing key, which signs from now on, and tells the gateways before. The older keys sign no more and stay
 * published until the last of their tokens has expired; those whose time is over are deleted. The algorithm stays what it
 * is unless another is wanted.
 */
export async function rotateSigningKey(
  context: CoreContext,
  actor: Actor,
  wanted?: SigningAlgorithm,
  { unlessActive = false }: { readonly unlessActive?: boolean } = {},
): Promise<{ readonly kid: string; readonly published: readonly string[] }> {
  const alg = wanted ?? (await presentAlgorithm(context));
  const made = await makeKey(alg); // outside of the transaction: an RSA key takes its time
  return inWrite(context, actor, async (write) => {
    const { signingKeys } = write.transaction;
    const before = await signingKeys.all();
    const present = activeOf(before, alg);
    if (unlessActive && present !== undefined) return { kid: present.kid, published: before.map(({ kid }) => kid) };
    for (const row of before) if (row.retiredAtMs === null) await signingKeys.put({ ...row, retiredAtMs: write.nowMs });
    await signingKeys.put(sealKey(context, made, alg, write.nowMs));
    const pruned = await pruneKeys(write);
    const resource = await noteKeys(write);
    await audit(write, "signing-key.rotated", resource, { kid: made.kid, alg, deleted: pruned });
    return { kid: made.kid, published: (await signingKeys.all()).map(({ kid }) => kid) };
  });
}

/** Tells the gateways the issuer and every published key, as when the issuer has become known. */
export async function announceSigningKeys(context: CoreContext): Promise<void> {
  await inWrite(context, { type: "system", id: "resident" }, async (write) => {
    await pruneKeys(write);
    await noteKeys(write);
  });
}

async function presentAlgorithm({ catalog }: CoreContext): Promise<SigningAlgorithm> {
  const rows = await catalog.read.signingKeys.all();
  return rows.findLast(({ retiredAtMs }) => retiredAtMs === null)?.alg === "RS256" ? "RS256" : "ES256";
}

async function noteKeys(write: Write) {
  const resource = await write.transaction.resources.find(keyManager.kind, residentName);
  if (resource === undefined) throw notFound(keyManager.kind, residentName);
  const record = await keyManagerRecord(write.context, write.transaction, resource);
  write.messages.push({ type: "key-manager.put", record });
  return resource;
}

async function pruneKeys({ transaction, nowMs }: Write): Promise<readonly string[]> {
  const rows = await transaction.signingKeys.all();
  const over = rows.filter(
    ({ retiredAtMs }) => retiredAtMs !== null && retiredAtMs + publishedAfterRetirementMs < nowMs,
  );
  for (const { kid } of over) await transaction.signingKeys.delete(kid);
  return over.map(({ kid }) => kid);
}

function activeOf(rows: readonly SigningKeyRow[], alg: string): SigningKeyRow | undefined {
  return rows.findLast((row) => row.retiredAtMs === null && row.alg === alg);
}

interface MadeKey {
  readonly kid: string;
  readonly privateJwk: JsonWebKey;
  readonly publicJwk: PublicJwk;
}

const generate = promisify(generateKeyPair);

async function makeKey(alg: SigningAlgorithm): Promise<MadeKey> {
  const { publicKey, privateKey } =
    alg === "ES256"
      ? await generate("ec", { namedCurve: "P-256" })
      : await generate("rsa", { modulusLength: 3_072, publicExponent: 65_537 });
  const shown = publicKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify(shown)).digest("base64url").slice(0, 22);
  const { kty = "", ...rest } = shown;
  return { kid, privateJwk: privateKey.export({ format: "jwk" }), publicJwk: { kty, ...rest, kid, alg, use: "sig" } };
}

function sealKey(context: CoreContext, made: MadeKey, alg: SigningAlgorithm, nowMs: number): SigningKeyRow {
  const { id, key } = context.vaultKeys.current;
  return {
    kid: made.kid,
    alg,
    sealed: seal(key, id, JSON.stringify(made.privateJwk), signingKeyBinding(made.kid)),
    publicJwk: made.publicJwk,
    createdAtMs: nowMs,
    activeFromMs: nowMs,
    retiredAtMs: null,
  };
}

function openKey(context: CoreContext, row: SigningKeyRow): SigningKey {
  const key = context.vaultKeys.find(row.sealed.kid);
  if (key === undefined) {
    throw new GatewayError("secret.undecryptable", "A signing key cannot be decrypted.", {
      detail: `signing key ${row.kid} was sealed with key ${row.sealed.kid}, which is not in the keyring`,
    });
  }
  const jwk: unknown = JSON.parse(unseal(key, row.sealed, signingKeyBinding(row.kid)));
  const alg = row.alg === "RS256" ? "RS256" : "ES256";
  return { kid: row.kid, alg, privateJwk: { ...(jwk as object), kid: row.kid, alg, use: "sig" } }; // written by `sealKey`
}

/** What a sealed signing key is bound to. */
export function signingKeyBinding(kid: string): string {
  return `signing-key/${kid}`;
}
