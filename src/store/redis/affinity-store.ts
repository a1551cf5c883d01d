import { z } from "zod";
import { parseJson } from "../../kernel/parse-json.ts";
import type { AffinityOwner, AffinityStore } from "../../pipeline/affinity-store.ts";
import { affinityMs } from "../../pipeline/affinity-store.ts";
import type { RedisConnection } from "./redis-connection.ts";

const tokens = z.int().nonnegative();
const ownerSchema = z.object({
  target: z.string(),
  provider: z.string(),
  caller: z.string(),
  model: z.string(),
  charged: z.object({ inputTokens: tokens, outputTokens: tokens }).optional(),
});

/** For all gateways of an installation. While Redis is away nothing is remembered and nobody is kept waiting for it. */
export function createRedisAffinity({
  redis,
}: {
  readonly redis: Pick<RedisConnection, "run" | "keyPrefix">;
}): AffinityStore {
  const keyOf = (key: string): string => `${redis.keyPrefix}affinity:${key}`;
  const send = (call: Parameters<typeof redis.run>[0]): void => {
    redis.run(call).catch(() => undefined); // best effort: what is not there is looked for elsewhere
  };
  return {
    async find(key) {
      const text = await redis.run((client) => client.get(keyOf(key))).catch(() => null);
      return text === null ? undefined : parse(text);
    },
    async claim(key) {
      const text = await redis.run((client) => client.getdel(keyOf(key))).catch(() => null);
      return text === null ? undefined : parse(text);
    },
    put: (key, owner) => send((client) => client.set(keyOf(key), JSON.stringify(owner), "PX", affinityMs)),
    forget: (key) => send((client) => client.del(keyOf(key))),
  };
}

function parse(text: string): AffinityOwner | undefined {
  try {
    return ownerSchema.safeParse(parseJson(text)).data;
  } catch {
    return undefined;
  }
}
