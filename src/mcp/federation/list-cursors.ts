import type { KeyObject } from "node:crypto";
import { createHmac, timingSafeEqual } from "node:crypto";
import { deriveKey } from "../../kernel/crypto.ts";
import { parseJson } from "../../kernel/parse-json.ts";

/** Places in lists of one caller, as clients carry them: nobody else can make or use one. */
export interface ListCursors {
  /** `after` is the last entry that was shown, `index` where it stood. */
  seal(place: ListPlace, owner: string): string;
  /** Undefined for one that is altered, another's, of another list, or none of ours. */
  open(cursor: string, list: string, owner: string): ListPlace | undefined;
}

export interface ListPlace {
  readonly list: string;
  readonly index: number;
  readonly after: string;
}

const tagBytes = 16;
const longestCursor = 4_096;

/** HMAC-SHA-256 under a key of its own, derived from the one that seals sessions; the same on all gateways. */
export function createListCursors(sessionKey: KeyObject): ListCursors {
  const key = deriveKey(sessionKey, "gatehouse/mcp-list-cursor");
  const tagOf = (body: string, owner: string): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([owner, body]))
      .digest()
      .subarray(0, tagBytes);
  return {
    seal({ list, index, after }, owner) {
      const body = JSON.stringify([list, index, after]);
      return Buffer.concat([tagOf(body, owner), Buffer.from(body)]).toString("base64url");
    },
    open(cursor, list, owner) {
      if (cursor.length > longestCursor) return undefined;
      const bytes = Buffer.from(cursor, "base64url");
      if (bytes.length <= tagBytes || bytes.toString("base64url") !== cursor) return undefined;
      const body = bytes.subarray(tagBytes).toString("utf8");
      if (!timingSafeEqual(bytes.subarray(0, tagBytes), tagOf(body, owner))) return undefined;
      const [sealed, index, after] = parseJson(body) as [string, number, string]; // sealed above
      return sealed === list ? { list, index, after } : undefined;
    },
  };
}

/** The page that follows a place, and the last entry's place in the whole; what has gone meanwhile is passed over. */
export function pageAfter<Entry>(
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
  size: number,
  place: ListPlace | undefined,
): { readonly page: readonly Entry[]; readonly next: Omit<ListPlace, "list"> | undefined } {
  const found = place === undefined ? -1 : entries.findIndex((entry) => nameOf(entry) === place.after);
  const from = place === undefined ? 0 : found >= 0 ? found + 1 : Math.min(place.index, entries.length);
  const page = entries.slice(from, from + size);
  const last = page.at(-1);
  const isMore = from + page.length < entries.length;
  return {
    page,
    next: isMore && last !== undefined ? { index: from + page.length - 1, after: nameOf(last) } : undefined,
  };
}
