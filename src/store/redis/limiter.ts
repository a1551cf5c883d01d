import { randomBytes } from "node:crypto";
import { GatewayError } from "../../kernel/errors.ts";
import type {
  Charge,
  LimitDecision,
  Limiter,
  LimitRule,
  LimitStanding,
  Reservation,
  Taken,
} from "../../pipeline/limiter.ts";
import { rateOf, wholeFrom } from "../memory/gcra.ts";
import { clearScript, lookScript, renewScript, settleScript, takeScript } from "./limiter-scripts.ts";
import type { RedisClient, RedisConnection } from "./redis-connection.ts";
import type { RedisScript } from "./run-script.ts";
import { redisScript, runScript } from "./run-script.ts";

export interface RedisLimiterOptions {
  readonly redis: Pick<RedisConnection, "run" | "keyPrefix">;
  /** For tests: the clock that never goes back and the wall clock, in milliseconds. The server's own when absent. */
  readonly clocks?: () => { readonly monotonicMs: number; readonly wallMs: number };
}

/**
 * A limiter that counts in Redis, with all gateways that share it. The arithmetic is that of the limiter in process, each
 * call is one script and one round trip, and time is the server's, so that the clocks of gateways do not matter.
 *
 * Every counter lies in one slot of a cluster, `{limits}`: one take is all or nothing over counters that are put
 * together at run time, which Redis can do inside of one slot only. A cluster makes it survive, not faster.
 *
 * Rejects with `limit.unavailable` when Redis is away or late. What was asked may have been counted then; it is never asked
 * twice, and a take whose answer comes late is given back. Redis must not evict keys (`maxmemory-policy noeviction`):
 * what it forgets is free again.
 */
export function createRedisLimiter({ redis, clocks }: RedisLimiterOptions): Limiter {
  const times = (): readonly string[] => {
    if (clocks === undefined) return ["", ""];
    const { monotonicMs, wallMs } = clocks();
    return [String(Math.floor(monotonicMs)), String(Math.floor(wallMs))];
  };
  const ids = randomBytes(9).toString("base64url");
  let lastId = 0;
  const ask = (
    client: RedisClient,
    script: RedisScript,
    charges: readonly Pick<Charge, "key" | "rule">[],
    args: readonly (readonly string[])[],
  ): Promise<readonly number[]> => {
    const keys = charges.map(({ key, rule }) => `${redis.keyPrefix}{limits}${letters[rule.type]}:${key}`);
    return runScript(client, script, keys.length, [...keys, ...times(), ...args.flat()]).then(numbersIn);
  };
  const run = (...question: Tail<Parameters<typeof ask>>): Promise<readonly number[]> =>
    redis.run((client) => ask(client, ...question)).catch(notCounted);

  // Nobody waits for it any more. What cannot be given back stays counted until its window or lease ends.
  const giveBack = (client: RedisClient, { reservation }: Taken): Promise<unknown> => {
    const settled = reservation && settledParts(reservation, redis, reservation.charges.map(zero));
    return settled === undefined ? Promise.resolve() : ask(client, scripts.settle, ...settled).catch(() => {});
  };

  return {
    async take(charges) {
      lastId += 1;
      const id = `${ids}.${lastId}`;
      if (charges.length === 0) return { allowed: true, decisions: [], reservation: { id, charges } };
      const rules = charges.map(({ rule, amount, enforce }, place) =>
        ruleArgs(rule, unitsText(amount), enforce !== false, `${id}.${place}`),
      );
      let hasEnded = false;
      const send = async (client: RedisClient): Promise<Taken> => {
        const taken = takenOf(redis, id, charges, await ask(client, scripts.take, charges, rules));
        if (hasEnded) void giveBack(client, taken);
        return taken;
      };
      return redis.run(send).catch((error: unknown) => {
        hasEnded = true;
        return notCounted(error);
      });
    },
    async settle(reservation, amounts) {
      const settled = settledParts(reservation, redis, amounts);
      if (settled !== undefined) await run(scripts.settle, ...settled);
    },
    async renew(reservations) {
      const held = reservations.flatMap((reservation) => openReservation(reservation, redis)?.parts ?? []);
      const places = held.filter(({ charge }) => charge.rule.type === "concurrent");
      if (places.length === 0) return;
      const rules = places.map(({ charge, units, lease }) => ruleArgs(charge.rule, String(units), true, lease));
      await run(scripts.renew, chargesOf(places), rules);
    },
    async clear(charges) {
      if (charges.length === 0) return;
      const rules = charges.map(({ rule }) => ruleArgs(rule, "0", false, ""));
      await run(scripts.clear, charges, rules);
    },
    async look(charges) {
      if (charges.length === 0) return [];
      const rules = charges.map(({ rule }) => ruleArgs(rule, "0", false, ""));
      const answer = await run(scripts.look, charges, rules);
      return charges.map((_, place) => standingAt(answer, place));
    },
  };
}

type Tail<List extends readonly unknown[]> = List extends readonly [unknown, ...infer Rest] ? Rest : never;

const scripts = {
  take: redisScript(takeScript),
  settle: redisScript(settleScript),
  renew: redisScript(renewScript),
  clear: redisScript(clearScript),
  look: redisScript(lookScript),
};

function numbersIn(answer: unknown): readonly number[] {
  return Array.isArray(answer) ? answer.map(Number) : [];
}

function notCounted(error: unknown): never {
  const detail = error instanceof GatewayError ? error.detail : undefined;
  throw new GatewayError("limit.unavailable", "Limits cannot be counted at the moment.", {
    ...(detail !== undefined && { detail }),
    cause: error,
  });
}

function takenOf(redis: object, id: string, charges: readonly Charge[], answer: readonly number[]): Taken {
  const decisions = charges.map((_, place) => decisionAt(answer, place));
  if (answer[0] !== 1) return { allowed: false, decisions };
  const parts = charges.flatMap((charge, place) => partAt(answer, charge, place, `${id}.${place}`));
  return { allowed: true, decisions, reservation: new OpenReservation(redis, id, charges, parts) };
}

/** What one charge took. */
interface Part {
  readonly charge: Charge;
  /** Its place among the charges of its reservation. */
  readonly place: number;
  readonly units: number;
  /** The moment or window that it was counted in. */
  readonly mark: number;
  readonly lease: string;
}

/** Only this limiter knows what is open: what was settled is settled without asking anybody. */
class OpenReservation implements Reservation {
  readonly redis: object;
  readonly id: string;
  readonly charges: readonly Charge[];
  /** Of the charges that were counted; undefined once they are settled. */
  parts: readonly Part[] | undefined;

  constructor(redis: object, id: string, charges: readonly Charge[], parts: readonly Part[]) {
    this.redis = redis;
    this.id = id;
    this.charges = charges;
    this.parts = parts;
  }
}

function openReservation(reservation: Reservation, redis: object): OpenReservation | undefined {
  return reservation instanceof OpenReservation && reservation.redis === redis ? reservation : undefined;
}

/** What the settling script is asked, whatever becomes of that; undefined where nothing is left to settle. */
function settledParts(
  reservation: Reservation,
  redis: object,
  amounts: readonly number[],
): readonly [charges: readonly Charge[], args: readonly (readonly string[])[]] | undefined {
  const open = openReservation(reservation, redis);
  if (open?.parts === undefined) return undefined;
  const settled = open.parts.flatMap((part) => {
    const actual = actualOf(amounts[part.place], part.units);
    // What is as it was taken needs no word: a rate holds nothing that could be freed.
    return part.charge.rule.type === "rate" && actual === part.units ? [] : [{ ...part, actual }];
  });
  open.parts = undefined;
  if (settled.length === 0) return undefined;
  const rules = settled.map(({ charge, units, lease }) => ruleArgs(charge.rule, String(units), true, lease));
  const used = settled.map(({ actual, mark }) => [String(actual), String(mark)]);
  return [chargesOf(settled), [...rules, ...used]];
}

function zero(): number {
  return 0;
}

function chargesOf(parts: readonly Part[]): readonly Charge[] {
  return parts.map(({ charge }) => charge);
}

const letters = { rate: "r", quota: "q", concurrent: "c" } as const satisfies Record<LimitRule["type"], string>;

/** What a rule is to the scripts; made once per rule, as most stand for as long as their snapshot. */
const known = new WeakMap<LimitRule, readonly [limit: string, a: string, b: string, c: string, d: string]>();

function ruleArgs(rule: LimitRule, amount: string, enforce: boolean, lease: string): readonly string[] {
  let numbers = known.get(rule);
  if (numbers === undefined) {
    numbers = numbersOf(rule);
    known.set(rule, numbers);
  }
  const [limit, a, b, c, d] = numbers;
  const isHeld = rule.type === "concurrent";
  return [letters[rule.type], amount, enforce ? "1" : "0", limit, a, isHeld ? lease : b, c, d];
}

function numbersOf(rule: LimitRule): readonly [string, string, string, string, string] {
  const limit = String(wholeFrom(Math.floor(rule.limit), 0));
  switch (rule.type) {
    case "rate": {
      const rate = rateOf(rule.limit, rule.windowMs, undefined);
      return [limit, String(rate.windowMs), String(rate.perUnit), String(rate.perMs), String(rate.full)];
    }
    case "quota": {
      const startsAtMs = Number.isFinite(rule.startsAtMs) ? Math.floor(rule.startsAtMs) : 0;
      return [limit, String(startsAtMs), String(wholeFrom(Math.ceil(rule.windowMs), 1)), "", ""];
    }
    case "concurrent":
      return [limit, String(wholeFrom(Math.ceil(rule.leaseMs), 1)), "", "", ""];
  }
}

// Nothing, which no limit admits, for what is no amount or more than can be counted.
function unitsText(amount: number): string {
  const units = Math.ceil(amount);
  return units >= 0 && units <= Number.MAX_SAFE_INTEGER ? String(units) : "";
}

function actualOf(amount: number | undefined, reserved: number): number {
  if (amount === undefined || !(amount >= 0)) return reserved;
  return Math.min(Math.ceil(amount), Number.MAX_SAFE_INTEGER);
}

const perCharge = 5;

function decisionAt(answer: readonly number[], place: number): LimitDecision {
  const at = 1 + place * perCharge;
  return {
    allowed: answer[at] === 1,
    remaining: answer[at + 1] ?? 0,
    resetMs: answer[at + 2] ?? 0,
    retryAfterMs: answer[at + 3] ?? 0,
  };
}

function partAt(answer: readonly number[], charge: Charge, place: number, lease: string): readonly Part[] {
  const at = 1 + place * perCharge;
  if (answer[at] !== 1) return [];
  return [{ charge, place, units: Math.ceil(charge.amount), mark: answer[at + 4] ?? 0, lease }];
}

function standingAt(answer: readonly number[], place: number): LimitStanding {
  const [used = 0, reserved = 0, remaining = 0, resetMs = 0] = answer.slice(place * 4, place * 4 + 4);
  return { used, reserved, remaining, resetMs };
}
