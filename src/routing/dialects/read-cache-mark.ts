import type { CacheMark } from "./chat-request.ts";
import type { MemberReader } from "./member-reader.ts";

/** A mark on a part or a tool that its prefix is to be cached: an extension of Anthropic's that OpenAI's clients send too. */
export function readCacheMark(holder: MemberReader): { readonly cache?: CacheMark } {
  const mark = holder.object("cache_control");
  if (mark === undefined) return {};
  mark.passOver("type");
  const ttl = mark.oneOf("ttl", ["5m", "1h"]);
  return { cache: ttl === undefined ? {} : { ttlSeconds: ttl === "1h" ? 3_600 : 300 } };
}
