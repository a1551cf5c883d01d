import type { JsonWebKey } from "node:crypto";
import { createHash, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { seal, unseal } from "../kernel/crypto.ts";
import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import type { Actor, CoreContext } from "./core-context.ts";
import type { SigningKeyRow } from "./identity-tables.ts";
import { keyManager, residentName } from "./key-manager.ts";
import { keyManagerRecord } from "./key-managers.ts";
import { defaultOauthSettings } from "./oauth-settings.ts";
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
  /** When another one signs, milliseconds since the epoch; undefined while none waits for its time. */
  readonly untilMs: number | undefined;
}

/** A day longer than a token may live, for clocks that are not quite right: after that nobody needs a retired key. */
const publishedAfterRetirementMs = (maxAccessTokenSeconds + 86_400) * 1_000;

/**
 * The resident key manager's keys; makes one of the algorithm when none signs with it or is about to. Changing the
 * algorithm retires the key of the other one, so that what it has signed stays valid.
 */
export async function openSigningKeys(context: CoreContext, alg: SigningAlgorithm): Promise<SigningKeys> {
  const rows = await rowsWithKey(context, alg);
  const nowMs = context.clock.now();
  const active = activeOf(rows, nowMs);
  if (active === undefined) throw new GatewayError("internal", "There is no key to sign tokens with.");
  const others = rows.filter((row) => row !== active);
  return {
    active: openKey(context, active),
    others: others.map((row) => openKey(context, row)),
    untilMs: active.retiredAtMs ?? undefined,
  };
}

async function rowsWithKey(context: CoreContext, alg: SigningAlgorithm): Promise<readonly SigningKeyRow[]> {
  const rows = await context.catalog.read.signingKeys.all();
  if (newestOf(rows)?.alg === alg) return rows;
  await rotateSigningKey(context, { type: "system", id: "resident" }, alg, { unlessThere: true });
  return context.catalog.read.signingKeys.all();
}

/** What came of a rotation. */
export interface RotatedKeys {
  /** The new key. */
  readonly kid: string;
  /** When it signs; the one before does until then. */
  readonly signsFrom: string;
  /** Every published key, oldest first. */
  readonly published: readonly string[];
}

/**
 * Makes a new signing key and tells the gateways. It signs after an overlap in which it is only published, so that whoever
 * keeps the keys for a while has it before its first token comes; one that is the only key signs at once. The older keys
 * stay published until the last of their tokens has expired; those whose time is over are deleted. The algorithm stays what
 * it is unless another is wanted.
 */
export async function rotateSigningKey(
  context: CoreContext,
  actor: Actor,
  wanted?: SigningAlgorithm,
  { unlessThere = false, overlapSeconds }: { readonly unlessThere?: boolean; readonly overlapSeconds?: number } = {},
): Promise<RotatedKeys> {
  const alg = wanted ?? (await presentAlgorithm(context));
  const made = await makeKey(alg); // outside of the transaction: an RSA key takes its time
  return inWrite(context, actor, async (write) => {
    const { signingKeys } = write.transaction;
    const before = await signingKeys.all();
    const newest = newestOf(before);
    if (unlessThere && newest?.alg === alg) return rotated(newest, before);
    const settings = context.oauth ?? defaultOauthSettings;
    const overlapMs = (overlapSeconds ?? settings.signingKeyOverlapSeconds ?? defaultOverlapSeconds) * 1_000;
    const isFirst = activeOf(before, write.nowMs) === undefined;
    const row = sealKey(context, made, alg, {
      nowMs: write.nowMs,
      activeFromMs: write.nowMs + (isFirst ? 0 : overlapMs),
    });
    for (const older of before) {
      const retiredAtMs = Math.min(older.retiredAtMs ?? Number.POSITIVE_INFINITY, row.activeFromMs);
      if (retiredAtMs !== older.retiredAtMs) await signingKeys.put({ ...older, retiredAtMs });
    }
    await signingKeys.put(row);
    const pruned = await pruneKeys(write);
    const resource = await noteKeys(write);
    const answer = rotated(row, await signingKeys.all());
    const { kid, signsFrom } = answer;
    await audit(write, "signing-key.rotated", resource, { kid, alg, signsFrom, deleted: pruned });
    return answer;
  });
}

/** Longer than gateways and other servers take to hear of a key. */
const defaultOverlapSeconds = 300;

function rotated({ kid, activeFromMs }: SigningKeyRow, rows: readonly SigningKeyRow[]): RotatedKeys {
  return { kid, signsFrom: new Date(activeFromMs).toISOString(), published: rows.map((row) => row.kid) };
}

/**
 * Tells the gateways the issuer and every published key, as when the issuer has become known. Makes the key that will
 * sign when there is none, so that every gateway has it before the first token comes.
 */
export async function announceSigningKeys(context: CoreContext, alg: SigningAlgorithm): Promise<void> {
  await rowsWithKey(context, alg);
  await inWrite(context, { type: "system", id: "resident" }, async (write) => {
    await pruneKeys(write);
    await noteKeys(write);
  });
}

async function presentAlgorithm({ catalog }: CoreContext): Promise<SigningAlgorithm> {
  const rows = await catalog.read.signingKeys.all();
  return newestOf(rows)?.alg === "RS256" ? "RS256" : "ES256";
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

/** The one that signs at that moment; for a clock that has gone back behind all of them, the first that will. */
function activeOf(rows: readonly SigningKeyRow[], nowMs: number): SigningKeyRow | undefined {
  const going = rows.filter(({ retiredAtMs }) => retiredAtMs === null || nowMs < retiredAtMs);
  return going.findLast(({ activeFromMs }) => activeFromMs <= nowMs) ?? going[0];
}

/** The one that signs or, where one waits for its time, will. */
function newestOf(rows: readonly SigningKeyRow[]): SigningKeyRow | undefined {
  return rows.findLast(({ retiredAtMs }) => retiredAtMs === null);
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

function sealKey(
  context: CoreContext,
  made: MadeKey,
  alg: SigningAlgorithm,
  { nowMs, activeFromMs }: { readonly nowMs: number; readonly activeFromMs: number },
): SigningKeyRow {
  const { id, key } = context.vaultKeys.current;
  return {
    kid: made.kid,
    alg,
    sealed: seal(key, id, JSON.stringify(made.privateJwk), signingKeyBinding(made.kid)),
    publicJwk: made.publicJwk,
    createdAtMs: nowMs,
    activeFromMs,
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
  const jwk: unknown = parseJson(unseal(key, row.sealed, signingKeyBinding(row.kid)));
  const alg = row.alg === "RS256" ? "RS256" : "ES256";
  return { kid: row.kid, alg, privateJwk: { ...(jwk as object), kid: row.kid, alg, use: "sig" } }; // written by `sealKey`
}

/** What a sealed signing key is bound to. */
export function signingKeyBinding(kid: string): string {
  return `signing-key/${kid}`;
}
