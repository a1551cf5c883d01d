import type { KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../kernel/clock.ts";
import { deriveKey } from "../../kernel/crypto.ts";
import type { AnswerStores } from "../memory/answer-stores.ts";
import { purgeScript } from "./answer-scripts.ts";
import { createAnswerSeal } from "./answer-seal.ts";
import type { AnswerShelfParts, Compared } from "./answer-shelf.ts";
import { createAnswerShelf } from "./answer-shelf.ts";
import type { RedisConnection } from "./redis-connection.ts";
import type { RedisScript } from "./run-script.ts";
import { redisScript, runScript } from "./run-script.ts";

export interface RedisAnswersOptions {
  readonly redis: Pick<RedisConnection, "run" | "keyPrefix">;
  readonly clock: Pick<Clock, "now">;
  /** The same for all gateways of an installation; what is kept is sealed by keys that are derived from it. */
  readonly key: KeyObject;
}

/** Of what is compared, opened: kept here, for under one member it never changes. */
const openedBytes = 67_108_864;

const purge = redisScript(purgeScript);

/**
 * Answers that all gateways of an installation share. A shelf is one place and API. Everything on it is sealed, its names
 * are hashes with a key, and time is the server's. Purges have numbers, and an answer is kept only while the number is that
 * of when it was asked for: so one that any gateway was told of wins over answers that were under way at another. Rejects
 * with `store.unavailable` when Redis is away or late.
 */
export function createRedisAnswers({ redis, clock, key }: RedisAnswersOptions): AnswerStores {
  const seal = createAnswerSeal({
    sealing: deriveKey(key, "gatehouse/answers-seal"),
    naming: deriveKey(key, "gatehouse/answers-name"),
  });
  const opened = new LRUCache<string, Compared>({ maxSize: openedBytes, sizeCalculation: sizeOf });
  const purges = new Map<string, number>();
  /** Shelves that this gateway has looked at, by API: those of others are emptied by who looks at them. */
  const seen = new Map<string, Set<string>>();
  const run = (script: RedisScript, apiId: string, place: string, words: readonly string[]): Promise<unknown> => {
    const name = seal.nameOf(JSON.stringify([place, apiId]));
    const keys = ["s", "a", "u", "e", "n", "f", "v"].map((part) => `${redis.keyPrefix}answers:{${name}}:${part}`);
    const all = [...keys, String(purges.get(apiId) ?? 0), ...words];
    return redis.run((client) => runScript(client, script, keys.length, all));
  };

  const shared: Omit<AnswerShelfParts, "place"> = {
    seal,
    opened,
    clock,
    run(script, apiId, place, words) {
      seen.set(apiId, (seen.get(apiId) ?? new Set()).add(place));
      return run(script, apiId, place, words);
    },
  };
  return {
    at: (place) => ({ ...createAnswerShelf({ ...shared, place }), release: () => undefined }), // others may hold it; it ends by itself
    apply(message) {
      if (message.type !== "answers.purged") return;
      for (const { apiId, number } of message.purges) {
        if (number <= (purges.get(apiId) ?? 0)) continue;
        purges.set(apiId, number);
        // Best effort: what is not emptied now is with the next look at it, which brings the number.
        for (const place of seen.get(apiId) ?? []) run(purge, apiId, place, []).catch(() => undefined);
      }
    },
  };
}

function sizeOf({ vectors, stems = [] }: Compared): number {
  const numbers = vectors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return 500 + numbers + stems.reduce((sum, stem) => sum + 2 * stem.length, 0);
}
