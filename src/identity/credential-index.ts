import type { KeyObject } from "node:crypto";
import { hash } from "node:crypto";
import type { LastUse, LastUsesParts } from "../core/last-uses.ts";
import { createLastUses } from "../core/last-uses.ts";
import type { CredentialRecord, PlaneMessage, SubscriptionRecord } from "../core/plane-message.ts";
import { assertNever } from "../kernel/assert-never.ts";
import { equalInConstantTime, hmacSha256 } from "../kernel/crypto.ts";
import type { CredentialIndex } from "../pipeline/credential-index.ts";

/** `onUsed` hears of the uses of keys, in batches. */
export interface CredentialIndexParts extends LastUsesParts {
  /** Hashes keys; a record made under another pepper than `pepperId` matches no key. */
  readonly pepper: KeyObject;
  readonly pepperId: string;
}

/** The index with its two other ends: messages come in, uses go out. */
export interface LiveCredentialIndex extends CredentialIndex {
  /** Takes a message over; those that are not about credentials or subscriptions are passed over. Holds at once. */
  apply(message: PlaneMessage): void;
  /** The uses that were not reported yet, which then count as reported; for shutting down. */
  flush(): readonly LastUse[];
  /** Keys in the index. */
  readonly size: number;
}

/**
 * An empty index. A `credentials` message replaces everything in one step: a lookup sees all of the old state or all
 * of the new. 100,000 keys take some 35 MB.
 */
export function createCredentialIndex(parts: CredentialIndexParts): LiveCredentialIndex {
  const uses = createLastUses(parts);
  const verified = createVerifiedKeys();
  let state = createState();
  return {
    find: (publicId) => state.keys.get(publicId),
    matches(record, key) {
      if (record.pepperId !== parts.pepperId) return false;
      if (!equalInConstantTime(hmacSha256(parts.pepper, key), Buffer.from(record.hash, "hex"))) return false;
      verified.note(key, record);
      return true;
    },
    recognise(key) {
      const record = verified.recall(key);
      return record !== undefined && state.keys.get(record.publicId) === record ? record : undefined;
    },
    subscription: (applicationId, apiId) => state.subscriptions.get(pairOf(applicationId, apiId)),
    used: uses.note,
    flush: uses.flush,
    get size() {
      return state.keys.size;
    },
    apply(message) {
      switch (message.type) {
        case "credentials": {
          const next = createState();
          for (const record of message.records) putKey(next, record);
          for (const record of message.subscriptions) putSubscription(next, record);
          state = next;
          return;
        }
        case "credential.put":
          return putKey(state, message.record);
        case "credential.removed":
          return removeKey(state, message.publicId);
        case "subscription.put":
          return putSubscription(state, message.record);
        case "subscription.removed":
          return removeSubscription(state, message.id);
        case "artifacts":
        case "approval.decided":
        case "mcp-pins":
        case "mcp-pins.put":
        case "mcp-pins.checked":
        case "mcp-held":
        case "mcp-held.put":
        case "secret.changed":
        case "uses.forgotten":
        case "limits.cleared":
        case "answers.purged":
        case "upstream-credential.changed":
        case "identity":
        case "key-manager.put":
        case "key-manager.removed":
        case "client.put":
        case "client.removed":
        case "revocation.put":
          return;
        default:
          return assertNever(message);
      }
    },
  };
}

interface State {
  readonly keys: Map<string, CredentialRecord>;
  readonly subscriptions: Map<string, SubscriptionRecord>;
  readonly pairBySubscription: Map<string, string>;
  /** One copy of each text that many records share, which halves what they take. */
  readonly texts: Map<string, string>;
}

function createState(): State {
  return { keys: new Map(), subscriptions: new Map(), pairBySubscription: new Map(), texts: new Map() };
}

interface VerifiedKeys {
  note(key: string, record: CredentialRecord): void;
  recall(key: string): CredentialRecord | undefined;
}

const verifiedLimit = 10_000;

/**
 * Which texts have matched which records, by the SHA-256 of the text, a tenth of the price of its HMAC. Keys hold 256
 * random bits, so their plain hashes tell nothing; and who tries texts cannot steer what the map compares.
 */
function createVerifiedKeys(): VerifiedKeys {
  const records = new Map<string, CredentialRecord>();
  return {
    note(key, record) {
      const [oldest] = records.size < verifiedLimit ? [] : records.keys();
      if (oldest !== undefined) records.delete(oldest);
      records.set(hash("sha256", key, "base64"), record);
    },
    recall: (key) => records.get(hash("sha256", key, "base64")),
  };
}

const none: readonly never[] = Object.freeze([]);

// An older value that still works is a record of its own with the same id: it differs in its hash and ends sooner.
function putKey(state: State, record: CredentialRecord): void {
  const { previous, ...current } = record;
  removeKey(state, record.publicId);
  putRecord(state, record);
  if (previous === undefined) return;
  const expiresAtMs = Math.min(previous.expiresAtMs, current.expiresAtMs ?? Number.POSITIVE_INFINITY);
  putRecord(state, { ...current, ...previous, expiresAtMs });
}

function removeKey(state: State, publicId: string): void {
  const previous = state.keys.get(publicId)?.previous;
  state.keys.delete(publicId);
  if (previous !== undefined) state.keys.delete(previous.publicId);
}

function putRecord(state: State, record: CredentialRecord): void {
  const { texts } = state;
  state.keys.set(record.publicId, {
    ...record,
    pepperId: shared(texts, record.pepperId),
    apiId: record.apiId === null ? null : shared(texts, record.apiId),
    applicationId: record.applicationId === null ? null : shared(texts, record.applicationId),
    permittedIps: record.permittedIps.length === 0 ? none : record.permittedIps,
    permittedReferrers: record.permittedReferrers.length === 0 ? none : record.permittedReferrers,
  });
}

function shared<Text extends string>(texts: Map<string, string>, text: Text): Text {
  const known = texts.get(text);
  if (known !== undefined) return known as Text; // the map's values equal their keys
  texts.set(text, text);
  return text;
}

function putSubscription(state: State, record: SubscriptionRecord): void {
  removeSubscription(state, record.id);
  const pair = pairOf(record.applicationId, record.apiId);
  state.subscriptions.set(pair, record);
  state.pairBySubscription.set(record.id, pair);
}

function removeSubscription(state: State, id: string): void {
  const pair = state.pairBySubscription.get(id);
  if (pair === undefined) return;
  state.pairBySubscription.delete(id);
  // Another subscription may have taken the pair over meanwhile.
  if (state.subscriptions.get(pair)?.id === id) state.subscriptions.delete(pair);
}

function pairOf(applicationId: string, apiId: string): string {
  return `${applicationId} ${apiId}`;
}
