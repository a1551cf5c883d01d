import type { CacheMark } from "../chat-request.ts";
import type { WireObject } from "../member-reader.ts";

/** A mark that what stands before it is to be cached. */
export function writeCacheMark({ ttlSeconds }: CacheMark): WireObject {
  return { type: "ephemeral", ...(ttlSeconds === undefined ? {} : { ttl: ttlSeconds > 300 ? "1h" : "5m" }) };
}
