import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import { parseJson } from "../../kernel/parse-json.ts";
import type { RestBoard, TargetRest } from "../../pipeline/rest-board.ts";
import type { RedisConnection } from "./redis-connection.ts";

export interface RedisRestBoardOptions {
  readonly redis: Pick<RedisConnection, "run" | "subscribe" | "keyPrefix">;
  readonly clock: Clock;
}

/** Tells that come within so many milliseconds go together: a dead target is told of by all that were calling it. */
const tellAfterMs = 20;
/** Who missed a message finds out after so long. */
const askAgainMs = 2_000;
/** More than any target may ask for: what stands in a shared store is not believed without bound. */
const longestMs = 3_600_000;
const mostRests = 10_000;

/**
 * The rests of all gateways in one sorted set of Redis, by the moment of its own clock at which they end. A message tells
 * that it has changed, and each gateway reads it then; none is asked for while a request waits.
 */
export function createRedisRestBoard({ redis, clock }: RedisRestBoardOptions): RestBoard {
  const key = `${redis.keyPrefix}rests`;
  const waiting = new Map<string, number>();
  const send = (): void => {
    const words = [...waiting].flat();
    waiting.clear();
    // Best effort: each gateway finds out for itself what is not told.
    redis.run((client) => client.eval(tellScript, 1, key, key, mostRests, longestMs, ...words)).catch(() => undefined);
  };
  return {
    tell({ target, model, restMs, asked }) {
      if (waiting.size === 0) clock.after(tellAfterMs, send);
      waiting.set(JSON.stringify([target, model]), Math.ceil(Math.min(restMs, longestMs)) * (asked ? -1 : 1));
    },
    follow(listener) {
      const hearNews = createNews(listener);
      const reader = createReader(clock, async () => {
        const answer = await redis.run((client) => client.eval(readScript, 1, key)).catch(() => undefined);
        const read = answerSchema.safeParse(answer);
        if (read.success) hearNews(read.data);
      });
      redis.subscribe(key, reader.now);
      reader.now();
      return { [Symbol.dispose]: reader.stop };
    },
  };
}

// A rest that was asked for comes as less than 0, and is kept under `a`; a rest of 0 is called off.
const tellScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 4, #ARGV, 2 do
  local rest = tonumber(ARGV[i + 1])
  local asked = 'a' .. ARGV[i]
  local failed = 'f' .. ARGV[i]
  if rest == 0 then
    redis.call('ZREM', KEYS[1], asked, failed)
  else
    redis.call('ZADD', KEYS[1], now + math.abs(rest), rest < 0 and asked or failed)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[1], 'changed')
return 0`;

const readScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return { string.format('%.0f', now), redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES') }`;

/** The clock of Redis, and each rest with its end by that clock: the same rest has the same end in every answer. */
const answerSchema = z.tuple([z.coerce.number(), z.array(z.string())]);

/** Tells the listener what is new in an answer, and what has gone from it before its time. */
function createNews(listener: (rest: TargetRest) => void): (answer: z.output<typeof answerSchema>) => void {
  let known: ReadonlyMap<string, number> = new Map();
  return ([nowMs, words]) => {
    const before = known;
    const rests = new Map<string, number>();
    for (let at = 0; at + 1 < words.length; at += 2) rests.set(words[at] ?? "", Number(words[at + 1]));
    known = rests;
    for (const [member, endMs] of rests) {
      if (before.get(member) !== endMs) hear(member, Math.min(endMs - nowMs, longestMs), listener);
    }
    // What has run out is not called off: whoever heard of it tries for itself first.
    for (const [member, endMs] of before) if (!rests.has(member) && endMs > nowMs) hear(member, 0, listener);
  };
}

const memberSchema = z.tuple([z.string(), z.string()]);

function hear(member: string, restMs: number, listener: (rest: TargetRest) => void): void {
  const named = memberSchema.safeParse(read(member.slice(1)));
  if (!named.success) return; // another version's
  const [target, model] = named.data;
  listener({ target, model, restMs, asked: member.startsWith("a") });
}

function read(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Reads when told to, one at a time, and by itself when nobody has told for a while. */
function createReader(clock: Clock, readAll: () => Promise<void>) {
  let isReading = false;
  let isStale = false;
  let isStopped = false;
  let cancel = (): void => {};
  const now = (): void => {
    if (isStopped) return;
    isStale = isReading;
    if (isReading) return;
    isReading = true;
    cancel();
    void readAll().then(done);
  };
  const done = (): void => {
    isReading = false;
    if (isStale) now();
    else if (!isStopped) cancel = clock.after(askAgainMs, now);
  };
  return {
    now,
    stop(): void {
      isStopped = true;
      cancel();
    },
  };
}
