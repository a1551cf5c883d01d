import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { extname } from "node:path";
import { adHocLimits } from "../../../analytics/ad-hoc-reader.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { Log } from "../../../kernel/log.ts";
import type { ClickHouseEndpoint, FindClickHouse } from "../clickhouse-endpoint.ts";
import type { ChildMessage } from "./child-messages.ts";
import { childMessageSchema } from "./child-messages.ts";

export interface EmbeddedClickHouseOptions {
  /** The engine's data; made when it is missing. */
  readonly directory: string;
  /** What the engine may hold, in bytes; beside it the process needs some 250 MB, most of it shared code. */
  readonly memoryBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Milliseconds after which the process is ended and started again where a statement of an analyst runs on behind its own
   * limit, because the engine cannot interrupt it; ten seconds more than that limit unless told.
   */
  readonly stuckAfterMs?: number;
  /** The program of the process; the engine's own unless told. */
  readonly program?: URL;
}

/** What is known of the engine's process. */
export interface EmbeddedState {
  /** `idle`: not asked for yet. `waiting`: it ended by itself and is started again soon. */
  readonly state: "idle" | "starting" | "running" | "waiting" | "unavailable";
  readonly reason: string | undefined;
  readonly version: string | undefined;
  readonly pid: number | undefined;
  readonly rssBytes: number | undefined;
  /** How often it ended by itself. */
  readonly restarts: number;
}

/** ClickHouse in a process of its own beside this one. Disposing ends that process. */
export interface EmbeddedClickHouse extends AsyncDisposable {
  /** Starts the process when it was not asked for before, and waits for it. */
  readonly find: FindClickHouse;
  readonly state: EmbeddedState;
}

const stuckAfterLimitMs = 10_000;
const startWithinMs = 60_000;
const firstPauseMs = 250;
const longestPauseMs = 30_000;
/** A process that lived this long was well: the pauses begin small again. */
const wellAfterMs = 60_000;
const database = "gatehouse";

/**
 * A supervised embedded ClickHouse. Nothing runs before the first `find`. When its process ends by itself, by a crash
 * of the engine for example, it is started again, after longer pauses each time. It is only ever killed: what it has
 * answered is on disk by then, and one way to end is easier to keep right than two.
 */
export function startEmbeddedClickHouse(options: EmbeddedClickHouseOptions): EmbeddedClickHouse {
  return new Supervisor(options);
}

class Supervisor implements EmbeddedClickHouse {
  readonly #options: EmbeddedClickHouseOptions;
  #child: ChildProcess | undefined;
  #state: EmbeddedState["state"] = "idle";
  #known: { reason?: string; version?: string; rssBytes?: number } = {};
  #restarts = 0;
  #pauses = 0;
  #startedAtMs = 0;
  #starting = Promise.withResolvers<ClickHouseEndpoint>();
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: EmbeddedClickHouseOptions) {
    this.#options = options;
  }

  get state(): EmbeddedState {
    const isThere = this.#state === "running" || this.#state === "starting";
    return {
      state: this.#state,
      reason: this.#known.reason,
      version: this.#known.version,
      pid: isThere ? this.#child?.pid : undefined,
      rssBytes: isThere ? this.#known.rssBytes : undefined,
      restarts: this.#restarts,
    };
  }

  readonly find: FindClickHouse = async () => {
    switch (this.#state) {
      case "unavailable":
        throw this.#unavailable();
      case "waiting":
        throw this.#away("it is being started again");
      case "idle":
        this.#launch();
        break;
      case "starting":
      case "running":
    }
    return this.#starting.promise;
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = Promise.withResolvers<void>();
    child.once("exit", () => ended.resolve());
    child.kill("SIGKILL");
    await ended.promise;
  }

  #launch(): void {
    const { directory, memoryBytes, clock, program = childPath() } = this.#options;
    const { stuckAfterMs = adHocLimits.seconds * 1_000 + stuckAfterLimitMs } = this.#options;
    this.#state = "starting";
    this.#startedAtMs = clock.monotonic();
    this.#starting = Promise.withResolvers();
    this.#starting.promise.catch(() => undefined); // nobody may be waiting
    if (this.#closed) return this.#starting.reject(this.#away("it is being stopped"));
    const secret = randomBytes(32).toString("hex");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const child = fork(program, [], {
      cwd: directory,
      env: { TZ: "UTC" },
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    let lastWords = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      lastWords = (lastWords + text).slice(-2_000);
    });
    child.on("message", (message) => this.#hear(childMessageSchema.parse(message), secret));
    child.on("error", (error) => this.#ended(error.message));
    child.once("exit", (code, signal) => this.#ended(lastWords.trim() || `ended with ${signal ?? `code ${code}`}`));
    child.send({ type: "open", directory, secret, memoryBytes, database, stuckAfterMs });
    this.#cancelTimer = clock.after(startWithinMs, () => child.kill("SIGKILL"));
  }

  #hear(message: ChildMessage, secret: string): void {
    switch (message.type) {
      case "ready": {
        this.#cancelTimer?.();
        this.#state = "running";
        this.#known = { version: message.version };
        const url = `http://127.0.0.1:${message.port}`;
        const user = (username: string) => ({ username, password: secret });
        // The limits of statements are on that user's connection, which takes no settings.
        const adHoc = { ...user("adhoc"), settings: {} };
        this.#starting.resolve({ url, database, writer: user("writer"), reader: user("reader"), adHoc });
        this.#options.log.info({ pid: this.#child?.pid, version: message.version }, "embedded ClickHouse runs");
        break;
      }
      case "unavailable":
        this.#state = "unavailable";
        this.#known = { reason: message.reason };
        this.#options.log.warn(
          { reason: message.reason },
          "there is no embedded ClickHouse here: events stay in the spool; set CLICKHOUSE_URL to use a server",
        );
        this.#starting.reject(this.#unavailable());
        break;
      case "failed":
        this.#known = { reason: message.reason };
        break;
      case "usage":
        this.#known.rssBytes = message.rssBytes;
        break;
    }
  }

  #ended(lastWords: string): void {
    if (this.#state === "unavailable" || this.#state === "waiting" || this.#closed) return;
    const { clock, log } = this.#options;
    this.#cancelTimer?.();
    const reason = this.#known.reason ?? lastWords;
    const livedMs = clock.monotonic() - this.#startedAtMs;
    this.#pauses = livedMs > wellAfterMs ? 1 : this.#pauses + 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#pauses - 1, 10));
    this.#restarts += 1;
    this.#state = "waiting";
    this.#known = { reason };
    log.warn({ reason, pauseMs, restarts: this.#restarts }, "the embedded ClickHouse ended; it is started again");
    this.#starting.reject(this.#away(reason));
    this.#cancelTimer = clock.after(pauseMs, () => this.#launch());
  }

  #away(detail: string): GatewayError {
    return new GatewayError("store.unavailable", "The embedded ClickHouse is not running at the moment.", {
      detail,
      retryAfterMs: firstPauseMs,
    });
  }

  #unavailable(): GatewayError {
    const message =
      "There is no embedded ClickHouse on this system. Set CLICKHOUSE_URL to the address of a ClickHouse server.";
    return new GatewayError("analytics.not_available", message, {
      ...(this.#known.reason !== undefined && { detail: this.#known.reason }),
    });
  }
}

/** Beside this file, as source or as published JavaScript. */
function childPath(): URL {
  return new URL(`./child-main${extname(import.meta.filename)}`, import.meta.url);
}
