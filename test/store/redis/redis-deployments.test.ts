import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import { createRedisLimiter } from "../../../src/store/redis/limiter.ts";
import type { RedisConnection } from "../../../src/store/redis/redis-connection.ts";
import { openRedis } from "../../../src/store/redis/redis-connection.ts";
import { eventually } from "../../kit/eventually.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import type { RedisServer } from "../../kit/redis-server.ts";
import { freePort, startRedisServer, withoutRedis } from "../../kit/redis-server.ts";

const defaults = { cluster: false, keyPrefix: "t:", timeoutMs: 2_000, connectTimeoutMs: 2_000 };

function connect(url: string, options: { readonly cluster?: boolean; readonly caFile?: string } = {}): RedisConnection {
  return openRedis({ ...defaults, ...options, url }, { clock: systemClock, log: memoryLog() });
}

/** Charges whose names hash to different slots, if nothing held them together. */
const charges = Array.from({ length: 8 }, (_, index) => ({
  key: `counter-${index}`,
  rule: { type: "rate", limit: 5, windowMs: 3_600_000 } as const,
  amount: 1,
}));

describe.skipIf(withoutRedis)("a Redis behind TLS", () => {
  let directory: string;
  let server: RedisServer;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "gatehouse-tls-"));
    await makeCertificates(directory);
    server = await startRedisServer((port) => [
      "--port",
      "0",
      "--tls-port",
      String(port),
      "--tls-auth-clients",
      "no",
      "--tls-cert-file",
      join(directory, "server.pem"),
      "--tls-key-file",
      join(directory, "server.key"),
      "--tls-ca-cert-file",
      join(directory, "ca.pem"),
    ]);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test("is trusted by the authority that the configuration names, and counts", async () => {
    await using redis = connect(`rediss://127.0.0.1:${server.port}`, { caFile: join(directory, "ca.pem") });
    await redis.settled(5_000);
    const limiter = createRedisLimiter({ redis });
    for (let call = 0; call < 5; call += 1) expect(await limiter.take(charges)).toMatchObject({ allowed: true });
    expect(await limiter.take(charges)).toMatchObject({ allowed: false });
  });

  test("is not used when nobody vouches for it, when it is called by another name, or without TLS", async () => {
    const ca = { caFile: join(directory, "ca.pem") };
    for (const [url, options, reason] of [
      [`rediss://127.0.0.1:${server.port}`, {}, /certificate/i],
      [`rediss://localhost:${server.port}`, ca, /altnames|not match/i],
      [`redis://127.0.0.1:${server.port}`, {}, /./],
    ] as const) {
      await using redis = connect(url, options);
      await eventually(`${url} was refused`, () => reason.test(redis.status.failure ?? ""), 10_000);
      await expect(redis.run((client) => client.ping())).rejects.toMatchObject({ code: "store.unavailable" });
    }
  });
});

describe.skipIf(withoutRedis)("a Redis Cluster", () => {
  let nodes: readonly RedisServer[];
  beforeAll(async () => {
    nodes = [await startNode(), await startNode()];
    await joinNodes(nodes);
  }, 60_000);
  afterAll(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
  });

  test("takes many counters in one step by either node's address, and two gateways count as one", async () => {
    const opened = nodes.map(({ url }) => connect(url, { cluster: true }));
    await using one = opened[0];
    await using two = opened[1];
    await Promise.all(opened.map((redis) => redis.settled(10_000)));
    const limiters = [one, two].flatMap((redis) => (redis === undefined ? [] : [createRedisLimiter({ redis })]));
    const taken = await Promise.all(
      Array.from({ length: 20 }, async (_, call) => (await limiters[call % 2]?.take(charges))?.allowed),
    );
    expect(taken.filter((allowed) => allowed === true)).toHaveLength(5);
    expect(taken.filter((allowed) => allowed === false)).toHaveLength(15);
  });

  test("carries news of changes from one node's gateways to the other's", async () => {
    const [first, second] = nodes;
    await using one = connect(first?.url ?? "", { cluster: true });
    await using two = connect(second?.url ?? "", { cluster: true });
    await Promise.all([one.settled(10_000), two.settled(10_000)]);
    const heard: string[] = [];
    two.subscribe("t:feed", (message) => heard.push(message));
    await eventually(
      "it is heard",
      async () => {
        await one.run((client) => client.publish("t:feed", "7")).catch(() => 0);
        return heard.includes("7");
      },
      10_000,
    );
  });

  test("is told from a single server: without the setting, calls to a node that lacks the slot are refused", async () => {
    const refused = await Promise.all(
      nodes.map(async ({ url }) => {
        await using redis = connect(url);
        await redis.settled(5_000);
        const limiter = createRedisLimiter({ redis });
        return Promise.resolve(limiter.take(charges)).then(
          () => undefined,
          (error: unknown) => error,
        );
      }),
    );
    const [only, ...more] = refused.filter((error) => error !== undefined);
    expect(more).toEqual([]);
    expect(only).toMatchObject({ code: "limit.unavailable", detail: expect.stringContaining("MOVED") });
  });
});

/** An authority, and a certificate of it for the address 127.0.0.1 alone. */
async function makeCertificates(directory: string): Promise<void> {
  const openssl = async (...words: readonly string[]) => promisify(execFile)("openssl", words, { cwd: directory });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=an authority");
  const subject = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"];
  const signer = ["-CA", "ca.pem", "-CAkey", "ca.key"];
  await openssl("req", "-x509", ...key, "-keyout", "server.key", "-out", "server.pem", ...subject, ...signer);
}

async function startNode(): Promise<RedisServer> {
  const busPort = await freePort();
  return startRedisServer(["--cluster-enabled", "yes", "--cluster-port", String(busPort)]);
}

/** Makes one cluster of two nodes, half of the slots each. */
async function joinNodes([first, second]: readonly RedisServer[]): Promise<void> {
  if (first === undefined || second === undefined) throw new Error("two nodes are wanted");
  const clients = [first, second].map(({ port }) => new Redis(port, "127.0.0.1"));
  const [one, two] = clients;
  if (one === undefined || two === undefined) throw new Error("two clients are wanted");
  try {
    await one.call("CLUSTER", "ADDSLOTSRANGE", "0", "8191");
    await two.call("CLUSTER", "ADDSLOTSRANGE", "8192", "16383");
    const [, bus = ""] = /@(\d+)/.exec(String(await two.call("CLUSTER", "NODES"))) ?? [];
    await one.call("CLUSTER", "MEET", "127.0.0.1", String(second.port), bus);
    for (const client of clients) {
      const isUp = async (): Promise<boolean> => {
        const info = String(await client.call("CLUSTER", "INFO"));
        return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:2");
      };
      await eventually("the cluster is up", isUp, 30_000);
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}
