import type { RevocationRecord } from "../core/plane-message.ts";

/** What of a token a revocation may be about. */
export interface RevocableToken {
  readonly keyManagerId: string;
  readonly tokenId: string | undefined;
  readonly secretId: string | undefined;
  readonly clientId: string | undefined;
  readonly subject: string | undefined;
  /** The tokens that it was exchanged for, one after the other: what ends one of them ends it too. */
  readonly origins?: readonly Pick<RevocableToken, "tokenId" | "secretId" | "clientId">[] | undefined;
  /** Milliseconds since the epoch; 0 where the token does not tell, so that every revocation holds for it. */
  readonly issuedAtMs: number;
}

/** Tokens that are dead before they expire. */
export interface RevocationIndex {
  put(record: RevocationRecord, nowMs: number): void;
  /** What the token died of, or undefined while it lives. */
  reason(token: RevocableToken): string | undefined;
  readonly size: number;
}

type Type = RevocationRecord["type"];
type ByType = Readonly<Record<Type, Map<string, RevocationRecord>>>;

/**
 * An empty index. What no living token can be about is swept out when the index has doubled, so it is no larger than
 * twice what counts. A key manager of which nothing is revoked costs one lookup.
 */
export function createRevocationIndex(): RevocationIndex {
  const byManager = new Map<string, ByType>();
  let size = 0;
  let sweepAt = 1_000;
  const sweep = (nowMs: number): void => {
    for (const records of [...byManager.values()].flatMap((types) => Object.values(types))) {
      for (const [id, { expiresAtMs }] of records) {
        if (expiresAtMs + graceMs <= nowMs && records.delete(id)) size -= 1;
      }
    }
    sweepAt = Math.max(1_000, size * 2);
  };
  return {
    put(record, nowMs) {
      const types = byManager.get(record.keyManagerId) ?? emptyTypes();
      byManager.set(record.keyManagerId, types);
      const records = types[record.type];
      const before = records.get(record.id);
      // Told in any order, a revocation never gives anything back.
      const beforeMs = Math.max(record.beforeMs, before?.beforeMs ?? 0);
      const expiresAtMs = Math.max(record.expiresAtMs, before?.expiresAtMs ?? 0);
      records.set(record.id, { ...record, beforeMs, expiresAtMs });
      if (before !== undefined) return;
      size += 1;
      if (size >= sweepAt) sweep(nowMs);
    },
    reason(token) {
      const types = byManager.get(token.keyManagerId);
      if (types === undefined) return undefined;
      if (token.tokenId !== undefined && types.token.has(token.tokenId)) return "the token is revoked";
      const { issuedAtMs, origins } = token;
      if (origins?.some((origin) => originFault(types, origin, issuedAtMs)))
        return "the token that it came of is revoked";
      if (isBefore(types.secret, token.secretId, issuedAtMs)) return "the secret's tokens are revoked";
      if (isBefore(types.client, token.clientId, issuedAtMs)) return "the client's tokens are revoked";
      if (isBefore(types.subject, token.subject, issuedAtMs)) return "the subject's tokens are revoked";
      return undefined;
    },
    get size() {
      return size;
    },
  };
}

/** More than any clock skew: a token is accepted for that long after its end. */
const graceMs = 600_000;

// `iat` has whole seconds, so a token of the same second as the revocation counts as older: rather one too many.
function isBefore(records: Map<string, RevocationRecord>, id: string | undefined, issuedAtMs: number): boolean {
  if (id === undefined || records.size === 0) return false;
  const record = records.get(id);
  return record !== undefined && issuedAtMs < record.beforeMs;
}

function originFault(
  types: ByType,
  { tokenId, secretId, clientId }: Pick<RevocableToken, "tokenId" | "secretId" | "clientId">,
  issuedAtMs: number,
): boolean {
  if (tokenId !== undefined && types.token.has(tokenId)) return true;
  return isBefore(types.secret, secretId, issuedAtMs) || isBefore(types.client, clientId, issuedAtMs);
}

function emptyTypes(): ByType {
  return { token: new Map(), secret: new Map(), client: new Map(), subject: new Map() };
}
