import { createHash } from "node:crypto";
import { canonicalJson } from "../../../kernel/canonical-json.ts";
import type { Clock } from "../../../kernel/clock.ts";
import { GatewayError } from "../../../kernel/errors.ts";
import type { McpContext } from "../../../mcp/backend.ts";
import type { LegacySession } from "./legacy-session.ts";

/** Sessions with one upstream, each for those who may share it. */
export interface SessionPool {
  /** Does something in the session of this context, which begins where there is none yet. */
  use<Value>(context: McpContext, work: (session: LegacySession) => Promise<Value>): Promise<Value>;
  /** This session is over at the server; who uses the pool next gets another one. */
  forget(session: LegacySession): void;
  /** The client has ended its own session. */
  ended(context: McpContext): void;
  /** Of open sessions. */
  readonly size: number;
  dispose(): void;
}

interface Pooled {
  readonly opening: Promise<LegacySession>;
  session: LegacySession | undefined;
  uses: number;
  usedMs: number;
}

/** How much a pool holds. */
export interface SessionPoolOptions {
  readonly maxSessions: number;
  readonly idleMs: number;
}

/**
 * A client with a session of its own has one upstream for itself; clients without share one for as long as principal,
 * capabilities, name and log level are the same. At most 1,000, of which the longest unused goes first; one that nobody
 * used for ten minutes goes by itself.
 */
export function createSessionPool(
  clock: Clock,
  open: (context: McpContext) => Promise<LegacySession>,
  { maxSessions, idleMs }: SessionPoolOptions = { maxSessions: 1_000, idleMs: 600_000 },
): SessionPool {
  const sweepMs = Math.min(60_000, idleMs);
  const pool = new Map<string, Pooled>(); // in the order of use
  let stopSweep: (() => void) | undefined;

  const drop = (key: string, pooled: Pooled): void => {
    if (pool.get(key) === pooled) pool.delete(key);
    closeWhenOpen(pooled);
  };
  const sweep = (): void => {
    stopSweep = undefined;
    for (const [key, pooled] of pool) {
      if (!isInUse(pooled) && clock.monotonic() - pooled.usedMs >= idleMs) drop(key, pooled);
    }
    if (pool.size > 0) stopSweep = clock.after(sweepMs, sweep);
  };
  const makeRoom = (): void => {
    if (pool.size < maxSessions) return;
    for (const [key, pooled] of pool) {
      if (isInUse(pooled)) continue;
      drop(key, pooled);
      return;
    }
    throw new GatewayError("upstream.unavailable", "Too many sessions with the MCP server are in use.");
  };
  const find = (key: string, context: McpContext): Pooled => {
    const known = pool.get(key);
    if (known !== undefined) {
      pool.delete(key);
      pool.set(key, known);
      return known;
    }
    makeRoom();
    // Whoever came first may leave before the handshake is done, and others wait for it: it is cancelled by its own limits.
    const pooled: Pooled = { opening: open(context), session: undefined, uses: 0, usedMs: clock.monotonic() };
    pooled.opening.then(
      (session) => {
        pooled.session = session;
      },
      () => {
        if (pool.get(key) === pooled) pool.delete(key);
      },
    );
    pool.set(key, pooled);
    stopSweep ??= clock.after(sweepMs, sweep);
    return pooled;
  };
  return {
    async use(context, work) {
      const pooled = find(keyOf(context), context);
      pooled.uses += 1;
      try {
        return await work(await pooled.opening);
      } finally {
        pooled.uses -= 1;
        pooled.usedMs = clock.monotonic();
      }
    },
    forget(session) {
      for (const [key, pooled] of pool) if (pooled.session === session) drop(key, pooled);
    },
    ended(context) {
      const key = keyOf(context);
      const pooled = pool.get(key);
      if (pooled !== undefined) drop(key, pooled);
    },
    get size() {
      return pool.size;
    },
    dispose() {
      stopSweep?.();
      stopSweep = undefined;
      for (const [key, pooled] of pool) drop(key, pooled);
    },
  };
}

/** By a call, or by somebody who listens for news. */
function isInUse({ uses, session }: Pooled): boolean {
  return uses > 0 || session?.stream.isHeard === true;
}

function closeWhenOpen({ opening }: Pooled): void {
  opening.then(
    (session) => session.close(),
    () => undefined,
  );
}

function keyOf({ owner, session, client }: McpContext): string {
  if (session !== undefined) return JSON.stringify([owner, session]);
  const { capabilities, info = null, logLevel = null } = client;
  const told = canonicalJson([capabilities, info, logLevel]);
  return JSON.stringify([owner, null, createHash("sha256").update(told).digest("base64url")]);
}
