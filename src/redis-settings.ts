import { z } from "zod";

const redisUrlSchema = z
  .string()
  .max(4_096)
  .refine((text) => {
    const url = URL.parse(text);
    return url !== null && (url.protocol === "redis:" || url.protocol === "rediss:") && url.hostname !== "";
  }, "an address such as redis://user:password@redis.example.com:6379/0, or rediss:// for TLS");

/** Where the Redis is that several gateways count in, if there is one. */
export const redisSettings = z
  .strictObject({
    url: redisUrlSchema.optional().meta({
      title: "Redis URL",
      description:
        "`redis://` or `rediss://` (TLS), with user, password and database where there are any. Limits are counted there, by all gateways together. Absent: each gateway counts for itself.",
      secret: true,
    }),
    cluster: z.boolean().default(false).meta({
      title: "Redis Cluster",
      description: "Whether the address is a node of a cluster. All counters live in one of its slots.",
    }),
    keyPrefix: z
      .string()
      .regex(/^[\w.:-]{0,64}$/, "letters, digits and . : _ - , at most 64")
      .default("gatehouse:")
      .meta({
        title: "Key prefix",
        description: "Begins every key and channel, so that several installations may share one Redis.",
      }),
    timeoutMs: z.int().min(5).max(10_000).default(100).meta({
      title: "Redis timeout",
      description:
        "Milliseconds that one call may take. What comes later counts as no answer, and the policy's `onError` decides.",
    }),
    connectTimeoutMs: z.int().min(50).max(60_000).default(2_000).meta({
      title: "Redis connect timeout",
      description: "Milliseconds that a new connection may take.",
    }),
    caFile: z.string().min(1).max(4_096).optional().meta({
      title: "Redis CA",
      description: "A PEM file with the authorities that the server's certificate may come from. Absent: the system's.",
    }),
  })
  .prefault({})
  .meta({ title: "Redis" });

/** The settings with every default in place. */
export type RedisSettings = z.output<typeof redisSettings>;
