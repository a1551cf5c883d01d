import type { TcpSocketConnectOpts } from "node:net";
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import Pool from "undici/lib/dispatcher/pool.js";
import type { Cancellation, CancellationListener } from "../kernel/cancellation.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { UpstreamTimeouts } from "../pipeline/adapter.ts";
import { UpstreamBody } from "./upstream-body.ts";
import { upstreamFault } from "./upstream-fault.ts";

/** One request to an upstream whose host the operator chose. */
export interface UpstreamRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS";
  /** Path and query as they go on the wire. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A stream is sent as it comes, and read only once the connection stands. */
  readonly body: Buffer | Readable | undefined;
  readonly timeouts: UpstreamTimeouts;
  /** Ends the request and its body, and frees the socket at once. */
  readonly cancellation: Cancellation;
  /**
   * Bytes of an answer that is to be awaited whole, unless it is an event stream: `send` resolves at its end then, and
   * `body.whole` answers at once. Absent: `send` resolves at the headers.
   */
  readonly wholeBytes?: number;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: UpstreamBody;
}

/** The data plane's way out. Keeps connections alive per origin; forgets an origin that is not called for 10 minutes. */
export interface UpstreamClient extends AsyncDisposable {
  /**
   * Resolves at the answer's headers, or at its end where `wholeBytes` says so. Redirects are not followed. Rejects with `upstream.unreachable`, `.reset`,
   * `.timeout`, `.refused_address`, or with the cancellation's reason.
   */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
}

export interface UpstreamClientOptions {
  /** Resolves a host and hands on permitted addresses only; see `createGuardedLookup`. */
  readonly lookup: LookupFunction;
  /** Throws `upstream.refused_address` for a host that is a literal address and not permitted. */
  assertHost(hostname: string): void;
  readonly clock: Clock;
}

type LookupFunction = NonNullable<TcpSocketConnectOpts["lookup"]>;

/**
 * How long a connection waits for the next request where the upstream names no time of its own. Shorter than any common
 * server's (uvicorn closes after 5 s): a request must not meet a connection that is just being closed.
 */
const idleConnectionMs = 4_000;

/** undici pools behind one function. `dispatch` rather than `request`: no stream object is made for an answer. */
export function createUpstreamClient({ lookup, assertHost, clock }: UpstreamClientOptions): UpstreamClient {
  const pools = new Map<string, UsedPool>();
  const stopEvicting = evictIdle(pools, clock);

  const poolFor = (origin: string, connectMs: number): Pool => {
    const key = `${connectMs} ${origin}`;
    const known = pools.get(key);
    if (known !== undefined) {
      known.usedAtMs = clock.monotonic();
      return known.pool;
    }
    assertHost(new URL(origin).hostname);
    // No pipelining: an answer that takes minutes must not stand in front of another. No limit on connections: a slow
    // stream holds one, and the server's own limit bounds them all.
    const pool = new Pool(origin, {
      pipelining: 1,
      keepAliveTimeout: idleConnectionMs,
      allowH2: false,
      connect: { timeout: connectMs, lookup },
    });
    pools.set(key, { pool, usedAtMs: clock.monotonic() });
    return pool;
  };

  return {
    send: (request) =>
      new Promise<UpstreamResponse>((resolve, reject) => {
        if (request.cancellation.isCancelled) {
          reject(request.cancellation.reason);
          return;
        }
        const pool = poolFor(request.origin, request.timeouts.connectMs);
        pool.dispatch(
          {
            method: request.method,
            path: request.path,
            headers: request.headers,
            body: request.body ?? null,
            headersTimeout: request.timeouts.firstByteMs,
            bodyTimeout: request.timeouts.idleMs,
          },
          new UpstreamCall(request, resolve, reject),
        );
      }),
    async [Symbol.asyncDispose]() {
      stopEvicting();
      await Promise.all([...pools.values()].map(({ pool }) => pool.destroy()));
      pools.clear();
    },
  };
}

interface UsedPool {
  readonly pool: Pool;
  usedAtMs: number;
}

const idleMs = 600_000;
const evictEveryMs = 60_000;

/** Origins come and go with what is published; a pool of one that has gone would stay for ever. */
function evictIdle(pools: Map<string, UsedPool>, clock: Clock): () => void {
  let cancel = clock.after(evictEveryMs, evict);
  function evict(): void {
    for (const [key, { pool, usedAtMs }] of pools) {
      if (pool.stats.size > 0 || clock.monotonic() - usedAtMs < idleMs) continue;
      pools.delete(key);
      void pool.close();
    }
    cancel = clock.after(evictEveryMs, evict);
  }
  return () => cancel();
}

const mostErrorBytes = 1_048_576;

/** One request on undici's side. A class, for a closure per event would be made for every request. */
class UpstreamCall implements Dispatcher.DispatchHandler, CancellationListener {
  readonly #request: UpstreamRequest;
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (error: unknown) => void;
  #response: UpstreamResponse | undefined;
  #isAnswered = false;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    request: UpstreamRequest,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    request.cancellation.listen(this);
  }

  // Before the connection stands there is no controller: then whoever waits is told, and the request never goes out.
  onCancel(reason: unknown): void {
    if (this.#controller === undefined) this.#reject(asError(reason));
    else this.#controller.abort(asError(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { cancellation } = this.#request;
    if (cancellation.isCancelled) controller.abort(asError(cancellation.reason));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return; // informational: the answer is still to come
    const body = new UpstreamBody(controller);
    this.#response = { status, headers, body };
    const { wholeBytes } = this.#request;
    if (wholeBytes === undefined || isEventStream(headers["content-type"])) this.#answer(this.#response);
    // What is going to be refused is not waited for, and of an error nobody wants more than its text.
    else if (headers["content-encoding"] !== undefined) this.#answer(this.#response);
    else body.collect(status < 300 ? wholeBytes : Math.min(wholeBytes, mostErrorBytes));
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#response?.body.push(chunk);
  }

  onResponseEnd(): void {
    this.#request.cancellation.ignore(this);
    const response = this.#response;
    if (response === undefined) return;
    response.body.end();
    if (!this.#isAnswered) this.#answer(response);
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const { cancellation, origin } = this.#request;
    cancellation.ignore(this);
    const fault = cancellation.isCancelled ? asError(cancellation.reason) : upstreamFault(cause, origin);
    this.#response?.body.fail(fault);
    if (!this.#isAnswered) this.#reject(fault);
  }

  #answer(response: UpstreamResponse): void {
    this.#isAnswered = true;
    this.#resolve(response);
  }
}

/** Whether a `content-type` is that of server-sent events, with or without parameters. */
export function isEventStream(contentType: string | string[] | undefined): boolean {
  return typeof contentType === "string" && /^text\/event-stream\s*(;|$)/i.test(contentType);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new GatewayError("client.closed", "The client went away.");
}
