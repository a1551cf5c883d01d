import { createHash } from "node:crypto";
import type { RedisClient } from "./redis-connection.ts";

/** A script as Redis knows it. */
export interface RedisScript {
  readonly text: string;
  readonly sha: string;
}

/** A script of that text. */
export function redisScript(text: string): RedisScript {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/**
 * Runs it by its hash; a server that was restarted or flushed is sent the text once more, and has done nothing before that.
 * @param words the keys, and then the arguments
 */
export async function runScript(
  client: RedisClient,
  { sha, text }: RedisScript,
  keys: number,
  words: readonly string[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys, ...words);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return await client.eval(text, keys, ...words);
  }
}
