import { readFileSync } from "node:fs";
import { Cluster, Redis } from "ioredis";
import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log.ts";

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`; never logged. */
  readonly url: string;
  readonly cluster: boolean;
  readonly keyPrefix: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly caFile?: string | undefined;
}

/** How Redis is, as its last answers tell. */
export interface RedisStatus {
  readonly state: "ready" | "away";
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What was seen last of it when it is away. */
  readonly failure: string | undefined;
}

/** One Redis, or cluster of them, for the life of a process. Nothing waits for it: what cannot be sent now is refused. */
export interface RedisConnection extends AsyncDisposable {
  readonly keyPrefix: string;
  readonly status: RedisStatus;
  /** Calls within the deadline. Rejects with `store.unavailable` when it is away, late or answers with an error. */
  run<Result>(call: (client: RedisClient) => Promise<Result>): Promise<Result>;
  /** Calls `listener` with each message of the channel, on a connection of its own; back by itself after a failure. */
  subscribe(channel: string, listener: (message: string) => void): void;
  /** Resolves when it first answers, or after `withinMs`. */
  settled(withinMs: number): Promise<void>;
}

/** What calls are made with. */
export type RedisClient = Redis | Cluster;

/**
 * Opens the connection without waiting for it. It comes back by itself, with growing pauses up to two seconds. After three
 * calls in a row without an answer in time all are refused at once but one in a quarter of a second, so that a Redis that
 * hangs costs its deadline once and no queue grows.
 */
export function openRedis(options: RedisConnectionOptions, parts: { clock: Clock; log: Log }): RedisConnection {
  const { clock } = parts;
  const client = createClient(options, "limits");
  const sendTogether = createSendTogether(client);
  const status = followStatus(client, parts);
  const patience = createPatience(clock);
  const subscribers: RedisClient[] = [];
  const leaving = new Set<() => void>();

  return {
    keyPrefix: options.keyPrefix,
    get status() {
      return status.now();
    },
    async run(call) {
      if (client.status !== "ready") throw away(status.now().failure ?? `the connection is ${client.status}`);
      if (!patience.allows()) throw away("it did not answer in time just now");
      sendTogether();
      try {
        const result = await inTime(call(client), options.timeoutMs, clock);
        patience.answered();
        status.answered();
        return result;
      } catch (error) {
        const text = messageOf(error);
        if (error instanceof LateError) patience.missed();
        else patience.answered();
        status.failed(text);
        throw away(text);
      }
    },
    subscribe(channel, listener) {
      const subscriber = createClient(options, "events");
      subscribers.push(subscriber);
      subscriber.on("error", () => {}); // told once, by the other connection
      const follow = (): void => void subscriber.subscribe(channel).catch(() => {}); // the next `ready` tries again
      subscriber.on("ready", follow);
      subscriber.on("message", (from: string, message: string) => {
        if (from === channel) listener(message);
      });
    },
    async settled(withinMs) {
      if (client.status === "ready") return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(withinMs, resolve);
      leaving.add(resolve);
      client.once("ready", resolve);
      await promise;
      cancel();
      leaving.delete(resolve);
    },
    async [Symbol.asyncDispose]() {
      status.close();
      for (const leave of leaving) leave();
      for (const each of [client, ...subscribers]) each.disconnect();
    },
  };
}

const longestPauseMs = 2_000;

function createClient(options: RedisConnectionOptions, purpose: string): RedisClient {
  const { url, cluster, connectTimeoutMs, timeoutMs, caFile } = options;
  const pause = (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), longestPauseMs);
  const { protocol, username, password } = new URL(url);
  const common = {
    connectionName: `gatehouse-${purpose}`,
    connectTimeout: connectTimeoutMs,
    // Only a connection that owes an answer is given up; a call was late long before.
    socketTimeout: Math.max(timeoutMs * 10, 1_000),
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false, // what may have been counted is not counted again
    stringNumbers: true, // the client's own numbers are one off at 2^53 - 1
    ...(protocol === "rediss:" && { tls: caFile === undefined ? {} : { ca: readFileSync(caFile) } }),
  };
  if (!cluster) {
    const reconnectOnError = (error: Error): boolean => error.message.startsWith("READONLY"); // after a failover
    return new Redis(url, { ...common, enableOfflineQueue: false, retryStrategy: pause, reconnectOnError });
  }
  const account = {
    ...(username !== "" && { username: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
  };
  return new Cluster([url], {
    enableOfflineQueue: false,
    clusterRetryStrategy: pause,
    redisOptions: { ...common, ...account },
  });
}

/**
 * Commands of requests that came in together go out in one write: each write is a system call, which costs more than the
 * command. A cluster's nodes have connections of their own, and write each command as it comes.
 */
function createSendTogether(client: RedisClient): () => void {
  let held: Redis["stream"] | undefined;
  return () => {
    if (!("stream" in client) || held === client.stream) return;
    const { stream } = client;
    held = stream;
    stream.cork();
    setImmediate(() => {
      held = undefined;
      stream.uncork();
    });
  };
}

interface StatusFollower {
  now(): RedisStatus;
  answered(): void;
  failed(text: string): void;
  close(): void;
}

// One line when it goes and one when it is back, however many calls fail meanwhile.
function followStatus(client: RedisClient, { clock, log }: { clock: Clock; log: Log }): StatusFollower {
  let status: RedisStatus = { state: "away", sinceMs: clock.now(), failure: undefined };
  let told = false;
  let closed = false;
  const failed = (failure: string): void => {
    if (closed) return;
    status = { state: "away", sinceMs: status.state === "away" ? status.sinceMs : clock.now(), failure };
    if (told) return;
    told = true;
    log.warn({ failure }, "Redis cannot be used; each policy's onError decides until it can");
  };
  const answered = (): void => {
    if (status.state === "ready") return;
    status = { state: "ready", sinceMs: clock.now(), failure: undefined };
    if (told) log.info({}, "Redis is back");
    told = false;
  };
  client.on("ready", answered);
  client.on("error", (error: unknown) => failed(messageOf(error)));
  client.on("close", () => failed(status.failure ?? "the connection was closed")); // an error before it says more
  return {
    now: () => status,
    answered,
    failed,
    close: () => {
      closed = true;
    },
  };
}

interface Patience {
  allows(): boolean;
  answered(): void;
  missed(): void;
}

const missesUntilRest = 3;
const restMs = 250;

function createPatience(clock: Clock): Patience {
  let misses = 0;
  let nextTryMs = 0;
  return {
    allows() {
      if (misses < missesUntilRest) return true;
      const nowMs = clock.monotonic();
      if (nowMs < nextTryMs) return false;
      nextTryMs = nowMs + restMs; // this one tries for all
      return true;
    },
    answered() {
      misses = 0;
    },
    missed() {
      misses += 1;
      nextTryMs = clock.monotonic() + restMs;
    },
  };
}

class LateError extends Error {}

function inTime<Result>(answer: Promise<Result>, timeoutMs: number, clock: Clock): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => reject(new LateError(`it did not answer within ${timeoutMs} ms`)));
    answer.then(resolve, reject).finally(cancel);
  });
}

// The cause stays out: the client's errors carry the command with its arguments, AUTH's among them.
function away(detail: string): GatewayError {
  return new GatewayError("store.unavailable", "The store cannot be used now.", { detail: `Redis: ${detail}` });
}

function messageOf(error: unknown): string {
  const { message } = error instanceof Error ? error : { message: String(error) };
  return message.slice(0, 500);
}
