import { describe, expect, test } from "vitest";
import type { UpstreamHealth } from "../../src/core/upstream-health.ts";
import { createUpstreamBoard } from "../../src/core/upstream-health.ts";
import { createBreaker } from "../../src/pipeline/breaker.ts";
import type { TargetRest } from "../../src/pipeline/rest-board.ts";
import type { CompiledApi } from "../../src/pipeline/snapshot.ts";
import { targetKey, watchUpstreams } from "../../src/pipeline/upstream-watch.ts";
import { buildExchange } from "../kit/exchange.ts";
import { manualClock } from "../kit/manual-clock.ts";

const settings = { failures: 2, openMs: 10_000 };

function openWatch(fails = 0) {
  const clock = manualClock(1_000_000);
  const told: (readonly UpstreamHealth[])[] = [];
  let left = fails;
  const watch = watchUpstreams({
    clock,
    breaker: createBreaker(clock),
    report: async (upstreams) => {
      left -= 1;
      if (left >= 0) throw new Error("away");
      told.push(upstreams);
    },
  });
  const { api, snapshot } = buildExchange();
  const target = { id: "far", providerName: "far", endpoint: {}, weight: 1, model: undefined, serves: () => true };
  const upstream = { ...api.protocol.upstreams.production, targets: [target] };
  const withTarget: CompiledApi = {
    ...api,
    protocol: { ...api.protocol, upstreams: { production: upstream, sandbox: upstream } },
  };
  const serving = (apis: readonly CompiledApi[]) => watch.follow({ ...snapshot, apis });
  serving([withTarget]);
  const key = targetKey(api.id, "production", "far");
  return { watch, clock, told, key, api: withTarget, serving, snapshot };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

describe("the watch over upstreams", () => {
  test("lists a target that nobody has called yet, and a shared sandbox only when it was used", () => {
    const { watch, api } = openWatch();
    expect(watch.list()).toEqual([
      expect.objectContaining({ environment: "production", target: "far", state: "closed", lastSuccessMs: null }),
    ]);
    watch.note(targetKey(api.id, "sandbox", "far"), "good", settings);
    expect(watch.list().map(({ environment }) => environment)).toEqual(["production", "sandbox"]);
  });

  test("tells the breaker's state, since when, and what the last failure was", () => {
    const { watch, clock, key } = openWatch();
    watch.note(key, "good", settings);
    clock.advance(1_000);
    watch.note(key, "bad", settings, { failure: "upstream.reset" });
    expect(watch.list()[0]).toMatchObject({ state: "closed", failures: 1, sinceMs: null, lastSuccessMs: 1_000_000 });
    clock.advance(1_000);
    watch.note(key, "bad", settings, { failure: "status 503" });
    expect(watch.list()[0]).toMatchObject({
      state: "open",
      sinceMs: 1_002_000,
      retryAtMs: 1_012_000,
      lastFailure: { atMs: 1_002_000, code: "status 503" },
    });
    clock.advance(10_000);
    expect(watch.list()[0]).toMatchObject({ state: "half-open", retryAtMs: null });
    expect(watch.admits(key, settings)).toBe(true);
    watch.note(key, "good", settings);
    expect(watch.list()[0]).toMatchObject({ state: "closed", failures: 0, sinceMs: 1_012_000 });
  });

  test("a client that left says nothing of the target", () => {
    const { watch, key } = openWatch();
    watch.note(key, "unknown", settings, { failure: "client.closed" });
    expect(watch.list()[0]).toMatchObject({ lastSuccessMs: null, lastFailure: null });
  });

  test("a probe that works closes an open breaker; one that fails counts, and makes no rest longer", () => {
    const { watch, clock, key } = openWatch();
    watch.probed(key, "upstream.timeout", settings);
    watch.probed(key, "upstream.timeout", settings);
    expect(watch.list()[0]).toMatchObject({ state: "open", lastProbe: { failure: "upstream.timeout" } });
    clock.advance(6_000);
    watch.probed(key, "upstream.timeout", settings);
    expect(watch.restMs(key)).toBe(4_000);
    watch.probed(key, undefined, settings);
    expect(watch.admits(key, settings)).toBe(true);
    expect(watch.list()[0]).toMatchObject({ state: "closed", lastProbe: { failure: null } });
  });

  test("tells all that came in a second at once, and again what could not be told", async () => {
    const { watch, clock, key, told } = openWatch(1);
    for (let at = 0; at < 100; at += 1) watch.note(key, "good", settings);
    clock.advance(1_000);
    await turns();
    expect(told).toEqual([]);
    clock.advance(1_000);
    await turns();
    expect(told).toHaveLength(1);
    expect(told[0]?.[0]).toMatchObject({ lastSuccessMs: 1_000_000 });
    clock.advance(60_000);
    await turns();
    expect(told).toHaveLength(1);
  });

  test("tells a change of state within a second, and mere times every fifteen seconds", async () => {
    const { watch, clock, key, told } = openWatch();
    const after = async (ms: number): Promise<number> => {
      clock.advance(ms);
      await turns();
      return told.splice(0).length;
    };
    watch.note(key, "good", settings); // the first success is news
    expect(await after(1_000)).toBe(1);
    let tellings = 0;
    for (let second = 0; second < 60; second += 1) {
      watch.note(key, "good", settings);
      tellings += await after(1_000);
    }
    expect(tellings).toBe(4);
    watch.note(key, "good", settings);
    expect(await after(500)).toBe(0);
    for (let failure = 0; failure < settings.failures; failure += 1)
      watch.note(key, "bad", settings, { failure: "status 503" });
    expect(await after(1_000)).toBe(1); // it does not wait for the times
    clock.advance(10_000);
    watch.note(key, "good", settings);
    expect(await after(1_000)).toBeGreaterThanOrEqual(1);
    watch.probed(key, "status 503", settings);
    expect(await after(1_000)).toBe(1);
    watch.probed(key, "status 503", { failures: 50, openMs: 1 });
    expect(await after(1_000)).toBe(0);
  });

  test("forgets a target that is not deployed any more, and tells nothing once it is closed", async () => {
    const { watch, clock, key, told, serving, api } = openWatch();
    watch.note(key, "bad", settings, { failure: "upstream.reset" });
    serving([]);
    expect(watch.list()).toEqual([]);
    serving([api]);
    expect(watch.list()[0]).toMatchObject({ lastFailure: null });
    watch[Symbol.dispose]();
    clock.advance(60_000);
    await turns();
    expect(told).toEqual([]);
  });
});

describe("the board of upstreams", () => {
  const [upstream] = openWatch().watch.list();
  if (upstream === undefined) throw new TypeError("there is one");

  test("keeps what each gateway has said last", () => {
    const board = createUpstreamBoard();
    board.take("a", [upstream], 1);
    board.take("b", [upstream], 2);
    board.take("a", [{ ...upstream, failures: 4 }], 3);
    expect(board.list(5).map(({ node, failures, reportedAtMs }) => [node, failures, reportedAtMs])).toEqual([
      ["b", 0, 2],
      ["a", 4, 3],
    ]);
    board.take("a", [], 6);
    expect(board.list(7)).toHaveLength(1);
  });

  test("shows an open one as half-open when its rest is over", () => {
    const board = createUpstreamBoard();
    board.take("a", [{ ...upstream, state: "open", retryAtMs: 100 }], 1);
    expect([board.list(99)[0]?.state, board.list(100)[0]?.state]).toEqual(["open", "half-open"]);
  });

  test("keeps a bounded number of gateways", () => {
    const board = createUpstreamBoard();
    for (let at = 0; at < 1_010; at += 1) board.take(`node-${at}`, [upstream], at);
    expect(board.list(0)).toHaveLength(1_000);
  });

  test("takes over what other gateways tell of its targets, from the first snapshot on, and of no others", () => {
    const clock = manualClock();
    let tell: ((rest: TargetRest) => void) | undefined;
    let isOver = false;
    const rests = {
      follow(listener: (rest: TargetRest) => void) {
        tell = listener;
        return { [Symbol.dispose]: () => void (isOver = true) };
      },
    };
    const breaker = createBreaker(clock);
    const watch = watchUpstreams({ clock, breaker, rests, report: async () => {} });
    expect(tell).toBeUndefined();
    const { api, snapshot } = openWatch();
    watch.follow({ ...snapshot, apis: [api] });
    const rest = { target: targetKey(api.id, "production", "far"), model: "", restMs: 5_000, asked: false };
    tell?.(rest);
    tell?.({ ...rest, target: "gone" });
    expect(watch.list()).toEqual([expect.objectContaining({ state: "open", sinceMs: clock.now() })]);
    expect([watch.admits(rest.target, settings), breaker.restMs("gone")]).toEqual([false, 0]);
    watch[Symbol.dispose]();
    expect(isOver).toBe(true);
  });
});
