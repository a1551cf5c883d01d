import { expect, test } from "vitest";
import type { LegacySession } from "../../../../src/gateway/mcp/upstream-server/legacy-session.ts";
import type { SessionPool } from "../../../../src/gateway/mcp/upstream-server/session-pool.ts";
import { createSessionPool } from "../../../../src/gateway/mcp/upstream-server/session-pool.ts";
import { Cancellation } from "../../../../src/kernel/cancellation.ts";
import type { McpContext } from "../../../../src/mcp/backend.ts";
import type { ManualClock } from "../../../kit/manual-clock.ts";
import { manualClock } from "../../../kit/manual-clock.ts";

interface Opened {
  readonly pool: SessionPool;
  readonly clock: ManualClock;
  readonly opened: LegacySession[];
  readonly closed: LegacySession[];
}

function start(heard: ReadonlySet<number> = new Set()): Opened {
  const clock = manualClock();
  const opened: LegacySession[] = [];
  const closed: LegacySession[] = [];
  const pool = createSessionPool(clock, () => {
    const stream = { isHeard: heard.has(opened.length) };
    const session = { stream, close: () => void closed.push(session) } as unknown as LegacySession; // the pool uses no more
    opened.push(session);
    return Promise.resolve(session);
  });
  return { pool, clock, opened, closed };
}

function context(
  more: { owner?: string; session?: string; capabilities?: object; logLevel?: string } = {},
): McpContext {
  const { owner = "ada", session, capabilities = {}, logLevel } = more;
  return {
    exchange: undefined,
    owner,
    session,
    client: {
      era: session === undefined ? "modern" : "legacy",
      protocolVersion: "2026-07-28",
      info: undefined,
      capabilities: { ...capabilities },
      logLevel,
    },
    cancellation: new Cancellation(),
    headers: {},
    progressToken: undefined,
    notify: () => undefined,
    ask: () => Promise.reject(new Error("asked")),
  };
}

const same = (session: LegacySession): Promise<LegacySession> => Promise.resolve(session);

test("callers share a session for as long as they are the same, and can the same", async () => {
  const { pool, opened } = start();
  const first = await pool.use(context({ capabilities: { a: {}, b: {} } }), same);
  expect(await pool.use(context({ capabilities: { b: {}, a: {} } }), same)).toBe(first);
  const others = [
    context({ owner: "bob", capabilities: { a: {}, b: {} } }),
    context({ capabilities: { a: {} } }),
    context({ capabilities: { a: {}, b: {} }, logLevel: "debug" }),
    context({ session: "s1", capabilities: { a: {}, b: {} } }),
    context({ session: "s2", capabilities: { a: {}, b: {} } }),
    context({ owner: "bob", session: "s1" }),
  ];
  for (const other of others) expect(await pool.use(other, same)).not.toBe(first);
  expect(opened).toHaveLength(7);
});

test("one that nobody used for ten minutes is closed, one in use is not", async () => {
  const { pool, clock, closed } = start();
  const busy = Promise.withResolvers<void>();
  const idle = await pool.use(context(), same);
  const used = pool.use(context({ owner: "bob" }), () => busy.promise);
  clock.advance(700_000);
  await Promise.resolve();
  expect(closed).toEqual([idle]);
  busy.resolve();
  await used;
});

test("one whose news somebody listens to is in use", async () => {
  const { pool, clock, closed } = start(new Set([0]));
  await pool.use(context(), same);
  const idle = await pool.use(context({ owner: "bob" }), same);
  clock.advance(700_000);
  await Promise.resolve();
  expect(closed).toEqual([idle]);
});

test("of more than a thousand the one that was not used for longest goes", async () => {
  const { pool, opened, closed } = start();
  for (let n = 0; n < 1_000; n += 1) await pool.use(context({ session: `s${n}` }), same);
  await pool.use(context({ session: "s0" }), same);
  await pool.use(context({ session: "one more" }), same);
  await Promise.resolve();
  expect(pool.size).toBe(1_000);
  expect(closed).toEqual([opened[1]]);
});

test("a handshake that failed is tried again by the next caller, and one that is forgotten is closed", async () => {
  const clock = manualClock();
  let tries = 0;
  const closed: number[] = [];
  const pool = createSessionPool(clock, () => {
    tries += 1;
    const own = tries;
    if (own === 1) return Promise.reject(new Error("away"));
    return Promise.resolve({ close: () => void closed.push(own) } as unknown as LegacySession); // the pool only closes it
  });
  await expect(pool.use(context(), same)).rejects.toThrow("away");
  const session = await pool.use(context(), same);
  pool.forget(session);
  await pool.use(context(), same);
  expect([tries, closed]).toEqual([3, [2]]);
  pool.dispose();
  await Promise.resolve();
  expect(closed).toEqual([2, 3]);
});
