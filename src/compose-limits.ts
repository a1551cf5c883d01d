import type { KeyObject } from "node:crypto";
import type { Config } from "./config.ts";
import type { Clock } from "./kernel/clock.ts";
import type { Log } from "./kernel/log.ts";
import type { AffinityStore } from "./pipeline/affinity-store.ts";
import type { Limiter } from "./pipeline/limiter.ts";
import type { RestBoard } from "./pipeline/rest-board.ts";
import type { AnswerStores } from "./store/memory/answer-stores.ts";
import type { RedisConnection } from "./store/redis/redis-connection.ts";

/** What several gateways share. */
export interface SharedLimits extends AsyncDisposable {
  readonly redis: RedisConnection | undefined;
  /** Undefined where each gateway counts for itself. */
  readonly limiter: Limiter | undefined;
  /** Undefined where each gateway remembers for itself who made what providers keep. */
  readonly affinity: AffinityStore | undefined;
  /** Undefined where each gateway finds out for itself which upstreams rest. */
  readonly rests: RestBoard | undefined;
  /** Answers that caches keep, sealed by a key that all gateways have; undefined where each keeps its own. */
  readonly answers: ((key: KeyObject) => AnswerStores) | undefined;
  /** Tells the other processes; nothing where there is no Redis. Whoever misses it finds out by asking. */
  publish(version: string): void;
  /** Calls with each version that is published. */
  onVersion(listener: (version: string) => void): void;
}

const connectPatienceMs = 2_000;

/** Opens Redis where one is configured, and goes on without waiting for one that is away. */
export async function openSharedLimits(
  { redis: settings }: Config,
  parts: { readonly clock: Clock; readonly log: Log },
): Promise<SharedLimits> {
  const { url } = settings;
  if (url === undefined) {
    return {
      redis: undefined,
      limiter: undefined,
      affinity: undefined,
      rests: undefined,
      answers: undefined,
      publish: () => {},
      onVersion: () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const { openRedis } = await import("./store/redis/redis-connection.ts");
  const { createRedisLimiter } = await import("./store/redis/limiter.ts");
  const { createRedisAffinity } = await import("./store/redis/affinity-store.ts");
  const { createRedisAnswers } = await import("./store/redis/answer-stores.ts");
  const { createRedisRestBoard } = await import("./store/redis/rest-board.ts");
  const redis = openRedis({ ...settings, url }, parts);
  await redis.settled(connectPatienceMs);
  const channel = `${settings.keyPrefix}feed`;
  return {
    redis,
    limiter: createRedisLimiter({ redis }),
    affinity: createRedisAffinity({ redis }),
    rests: createRedisRestBoard({ redis, clock: parts.clock }),
    answers: (key) => createRedisAnswers({ redis, clock: parts.clock, key }),
    publish: (version) => void redis.run((client) => client.publish(channel, version)).catch(() => {}), // they ask anyway
    onVersion: (listener) => redis.subscribe(channel, listener),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
}
