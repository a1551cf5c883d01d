import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/kernel/clock.ts";
import type { Charge, Limiter, LimitRule, Reservation } from "../../../src/pipeline/limiter.ts";
import { createMemoryLimiter } from "../../../src/store/memory/limiter.ts";
import { createRedisLimiter } from "../../../src/store/redis/limiter.ts";
import type { RedisConnection } from "../../../src/store/redis/redis-connection.ts";
import { openRedis } from "../../../src/store/redis/redis-connection.ts";
import { limiterContract } from "../../contract/limiter-contract.ts";
import { eventually } from "../../kit/eventually.ts";
import { memoryLog } from "../../kit/gatehouse.ts";
import { manualClock } from "../../kit/manual-clock.ts";
import type { RedisServer } from "../../kit/redis-server.ts";
import { startRedisServer, withoutRedis } from "../../kit/redis-server.ts";
import { twoClocks } from "../../kit/two-clocks.ts";
import { twoLimiters, twoLimitersAsOne } from "./redis-limiters.ts";

const options = { cluster: false, keyPrefix: "gatehouse:", timeoutMs: 2_000, connectTimeoutMs: 2_000 };

function connect(server: RedisServer, timeoutMs = options.timeoutMs): RedisConnection {
  return openRedis({ ...options, timeoutMs, url: server.url }, { clock: systemClock, log: memoryLog() });
}

describe.skipIf(withoutRedis)("two limiters on one Redis", () => {
  let server: RedisServer;
  let connections: RedisConnection[];

  beforeAll(async () => {
    server = await startRedisServer();
    connections = [connect(server), connect(server)];
    for (const connection of connections) await connection.settled(5_000);
  });
  afterAll(async () => {
    for (const connection of connections) await connection[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  limiterContract("Redis", {
    runs: 30,
    async open() {
      const clock = twoClocks();
      const [limiter, other] = twoLimiters(connections, clock);
      return { limiter, other, now: clock.now, advance: clock.advance, jump: clock.jump };
    },
  });

  test("say in every case what the limiter in process says", async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => sameAsInProcess(steps, connections)),
      { numRuns: 150 },
    );
  });

  test("under 200 concurrent callers admit exactly the limit, of every counter of a take", async () => {
    const limiter = twoLimitersAsOne(connections);
    const day = { type: "quota", limit: 70, startsAtMs: 0, windowMs: 86_400_000_000_000 } as const;
    const places = { type: "concurrent", limit: 50, leaseMs: 60_000 } as const;
    const both: readonly Charge[] = [
      { key: "day", rule: day, amount: 1 },
      { key: "places", rule: places, amount: 1 },
    ];
    const taken = await Promise.all(Array.from({ length: 200 }, async () => limiter.take(both)));
    const admitted = taken.flatMap(({ reservation }) => reservation ?? []);
    expect(admitted).toHaveLength(50);
    expect(await limiter.look(both)).toMatchObject([{ reserved: 50 }, { reserved: 50 }]);
    await Promise.all(admitted.map(async (each) => limiter.settle(each, [1, 1])));
    await Promise.all(admitted.map(async (each) => limiter.settle(each, [9, 9]))); // once more does nothing
    expect(await limiter.look(both)).toMatchObject([{ used: 50, reserved: 0 }, { reserved: 0 }]);
    const second = await Promise.all(Array.from({ length: 200 }, async () => limiter.take(both)));
    expect(second.filter(({ allowed }) => allowed)).toHaveLength(20);
  });

  test("every counter ends by itself", async () => {
    const [redis] = connections;
    const limiter = twoLimitersAsOne(connections);
    const rules: readonly LimitRule[] = [
      { type: "rate", limit: 10, windowMs: 5_000 },
      { type: "quota", limit: 10, startsAtMs: Date.now(), windowMs: 5_000 },
      { type: "concurrent", limit: 10, leaseMs: 5_000 },
    ];
    const taken = await limiter.take(rules.map((rule) => ({ key: "ending", rule, amount: 2 })));
    expect(taken.allowed).toBe(true);
    const keys = (await redis?.run((client) => client.keys("*ending"))) ?? [];
    expect(keys).toHaveLength(3);
    for (const key of keys) {
      const leftMs = Number(await redis?.run((client) => client.pttl(key)));
      expect(leftMs).toBeGreaterThan(5_000);
      expect(leftMs).toBeLessThanOrEqual(70_000);
    }
  });

  test("hostile keys are counters like others, of their own", async () => {
    const limiter = twoLimitersAsOne(connections);
    const names = ["", " ", "{a}", "}{", "a\u0000b", "é\n\r\n", "*".repeat(5_000), "__proto__", "-1"];
    const rule = { type: "quota", limit: 1, startsAtMs: Date.now(), windowMs: 60_000 } as const;
    for (const key of names) expect((await limiter.take([{ key, rule, amount: 1 }])).allowed).toBe(true);
    for (const key of names) expect((await limiter.take([{ key, rule, amount: 1 }])).allowed).toBe(false);
  });

  test("scripts that Redis has forgotten are sent again, and a call in between is counted once", async () => {
    const limiter = twoLimitersAsOne(connections);
    const charge = {
      key: "flushed",
      rule: { type: "quota", limit: 100, startsAtMs: Date.now(), windowMs: 60_000 },
      amount: 1,
    } as const;
    for (let call = 0; call < 20; call += 1) {
      await connections[0]?.run((client) => client.script("FLUSH"));
      await Promise.all([limiter.take([charge]), limiter.take([charge])]);
    }
    expect(await limiter.look([charge])).toMatchObject([{ reserved: 40, remaining: 60 }]);
  });

  test("after FLUSHALL everything is free, and what is settled late is recorded in its window", async () => {
    const limiter = twoLimitersAsOne(connections);
    const charge = {
      key: "lost",
      rule: { type: "quota", limit: 10, startsAtMs: Date.now(), windowMs: 60_000 },
      amount: 4,
    } as const;
    const { reservation } = await limiter.take([charge]);
    await connections[0]?.run((client) => client.flushall());
    expect(await limiter.look([charge])).toMatchObject([{ used: 0, reserved: 0 }]);
    if (reservation !== undefined) await limiter.settle(reservation, [7]);
    expect(await limiter.look([charge])).toMatchObject([{ used: 7, reserved: 0, remaining: 3 }]);
  });
});

describe.skipIf(withoutRedis)("a limiter whose Redis fails", () => {
  const charge = { key: "a", rule: { type: "rate", limit: 10, windowMs: 60_000 }, amount: 1 } as const;
  const unavailable = { code: "limit.unavailable" };

  test("rejects while it is gone, slow or full, and counts on when it is back", async () => {
    await using server = await startRedisServer();
    await using redis = connect(server, 500);
    await redis.settled(5_000);
    const limiter = createRedisLimiter({ redis });
    const { reservation } = await limiter.take([charge]);
    const works = async () => (await Promise.resolve(limiter.take([charge])).catch(() => undefined)) !== undefined;

    await server.signal("SIGSTOP");
    await expect(limiter.take([charge])).rejects.toMatchObject(unavailable);
    if (reservation !== undefined) await expect(limiter.settle(reservation, [5])).rejects.toMatchObject(unavailable);
    await server.signal("SIGCONT");
    await eventually("it is back", works, 10_000);

    await server.signal("SIGKILL");
    await eventually("it rejects", async () => !(await works()), 5_000);
    await server.restart();
    await eventually("it is back", works, 10_000);

    await redis.run((client) => client.config("SET", "maxmemory", "1"));
    await expect(limiter.take([{ ...charge, key: "b" }])).rejects.toMatchObject(unavailable);
  });
});

describe.skipIf(withoutRedis)("a limiter whose Redis is slow", () => {
  test("gives back what was taken when the answer comes too late for anybody", async () => {
    await using server = await startRedisServer();
    await using redis = connect(server, 200);
    await redis.settled(5_000);
    const limiter = createRedisLimiter({ redis });
    const span = { startsAtMs: Date.now(), windowMs: 3_600_000 };
    const charges = [
      { key: "day", rule: { type: "quota", limit: 10, ...span }, amount: 2 },
      { key: "places", rule: { type: "concurrent", limit: 10, leaseMs: 60_000 }, amount: 1 },
    ] as const;
    await limiter.take(charges);
    await server.signal("SIGSTOP");
    for (let call = 0; call < 3; call += 1) {
      await expect(limiter.take(charges)).rejects.toMatchObject({ code: "limit.unavailable" });
    }
    await server.signal("SIGCONT");
    const reserved = async () =>
      (await Promise.resolve(limiter.look(charges)).catch(() => [])).map((standing) => standing.reserved);
    await eventually("only the first holds anything", async () => String(await reserved()) === "2,1", 10_000);
  });
});

interface Step {
  readonly waitMs: number;
  readonly wallMs: number;
  readonly charges: readonly Charge[];
  /** Which of the open reservations is settled, renewed or left, and with which amounts. */
  readonly then: { readonly what: "settle" | "renew" | "nothing"; readonly which: number; readonly amount: number };
}

const limits = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(1_000_000_007, Number.MAX_SAFE_INTEGER));
const windows = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(86_400_000, 2_678_400_000));
const rules: fc.Arbitrary<readonly [string, LimitRule]> = fc.oneof(
  fc.tuple(
    fc.constantFrom("r1", "r2"),
    fc.record({ type: fc.constant("rate" as const), limit: limits, windowMs: windows }),
  ),
  fc.tuple(
    fc.constantFrom("q1", "q2"),
    fc.record({
      type: fc.constant("quota" as const),
      limit: limits,
      startsAtMs: fc.constantFrom(0, 100, 200, 1_000),
      windowMs: fc.constant(86_400_000), // a short one that is over is known a little longer in one of them
    }),
  ),
  fc.tuple(
    fc.constantFrom("c1", "c2"),
    fc.record({
      type: fc.constant("concurrent" as const),
      limit: fc.integer({ min: 0, max: 6 }),
      leaseMs: fc.constant(100),
    }),
  ),
);
const amounts = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.constantFrom(0.1, -1, Number.NaN, Infinity, 1_000_000_000, Number.MAX_SAFE_INTEGER),
);
const charges = fc
  .tuple(
    rules,
    // To ask for nothing is only to look: what a store remembers of that is its own business.
    amounts.map((amount) => amount || 1),
    fc.boolean(),
  )
  .map(([[key, rule], amount, enforce]): Charge => ({ key, rule, amount, enforce }));
const histories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 120 })),
    wallMs: fc.integer({ min: 0, max: 1_500 }),
    charges: fc.array(charges, { minLength: 1, maxLength: 4 }),
    then: fc.record({
      what: fc.constantFrom("settle" as const, "settle" as const, "renew" as const, "nothing" as const),
      which: fc.nat(100),
      amount: amounts,
    }),
  }),
  { maxLength: 25 },
);

// A counter may come twice in one take, under one rule; that of a rate stays, as changing it rounds, once here and once there.
function oneRulePerKey(given: readonly Charge[], rates = new Map<string, LimitRule>()): readonly Charge[] {
  const byKey = new Map([...given.map(({ key, rule }) => [key, rule] as const), ...rates]);
  for (const [key, rule] of byKey) if (rule.type === "rate") rates.set(key, rule);
  return given.map((charge) => ({ ...charge, rule: byKey.get(charge.key) ?? charge.rule }));
}

/** Plays the same history to both, and compares what they say at each step. */
async function sameAsInProcess(steps: readonly Step[], connections: readonly RedisConnection[]): Promise<void> {
  const clock = manualClock(0);
  let wallMs = 0;
  const both = { ...clock, now: () => wallMs };
  const inProcess = createMemoryLimiter({ clock: both, maxKeys: 1_000 });
  const shared = twoLimitersAsOne(connections, both);
  const open: { readonly here: Reservation; readonly there: Reservation }[] = [];
  const rates = new Map<string, LimitRule>();
  for (const step of steps) {
    clock.advance(step.waitMs);
    ({ wallMs } = step);
    const asked = oneRulePerKey(step.charges, rates);
    const here = inProcess.take(asked);
    const there = await shared.take(asked);
    expect(there.decisions).toEqual(here.decisions);
    if (here.allowed && there.allowed) open.push({ here: here.reservation, there: there.reservation });
    const pair = open[step.then.which % Math.max(open.length, 1)];
    if (pair !== undefined) await follow(step.then, pair, inProcess, shared);
    expect(await shared.look(asked)).toEqual(inProcess.look(asked));
  }
}

async function follow(
  { what, amount }: Step["then"],
  { here, there }: { readonly here: Reservation; readonly there: Reservation },
  inProcess: Limiter,
  shared: Limiter,
): Promise<void> {
  const actual = here.charges.map(() => amount);
  if (what === "settle") {
    await inProcess.settle(here, actual);
    await shared.settle(there, actual);
  } else if (what === "renew") {
    await inProcess.renew([here]);
    await shared.renew([there]);
  }
}
