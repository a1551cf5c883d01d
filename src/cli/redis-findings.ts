import type { LoadedConfig } from "../config.ts";
import { systemClock } from "../kernel/clock.ts";
import type { Finding } from "./finding.ts";

const patienceMs = 3_000;

/** What the doctor says of Redis, asked by a connection of its own; nothing where none is configured. */
export async function redisFindings({ config: { redis: settings } }: LoadedConfig): Promise<readonly Finding[]> {
  const { url } = settings;
  if (url === undefined) return [];
  const { openRedis } = await import("../store/redis/redis-connection.ts");
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  await using redis = openRedis({ ...settings, url }, { clock: systemClock, log });
  await redis.settled(patienceMs);
  try {
    const policy = await redis.run((client) => client.config("GET", "maxmemory-policy").catch(() => undefined));
    const forgets = Array.isArray(policy) && typeof policy[1] === "string" && policy[1] !== "noeviction";
    return forgets
      ? [{ state: "hint", what: `Redis answers, but forgets counters when it is full (${policy[1]}): set noeviction` }]
      : [{ state: "ok", what: "Redis answers" }];
  } catch {
    const why = redis.status.failure ?? "no answer";
    const what = `Redis cannot be used (${why}); until it can, each policy's onError decides`;
    return [{ state: "fault", what }];
  }
}
