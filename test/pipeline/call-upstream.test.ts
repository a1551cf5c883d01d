import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { FailureClass, RetryBudgetSpec } from "../../src/core/failover.ts";
import { failoverSchema } from "../../src/core/failover.ts";
import type { ErrorCode } from "../../src/kernel/error-codes.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { BreakerSettings } from "../../src/pipeline/adapter.ts";
import { createBreaker } from "../../src/pipeline/breaker.ts";
import { callUpstream } from "../../src/pipeline/call-upstream.ts";
import type { TryEnd } from "../../src/pipeline/define-strategy.ts";
import type { Answer, Exchange } from "../../src/pipeline/exchange.ts";
import { compileFailover } from "../../src/pipeline/failover-rules.ts";
import { createRetryBudget } from "../../src/pipeline/retry-budget.ts";
import type { CompiledTarget } from "../../src/pipeline/target.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { textAdapter, textFrame } from "../kit/text-adapter.ts";

/** A status, a fault, a failure that the adapter has read out of a 400, or a rest that a 429 asks for. */
type Result = number | ErrorCode | { readonly failure: FailureClass } | { readonly restMs: number };

interface Scene {
  /** What each target does, one result after another; the last one holds on. */
  readonly targets: Readonly<Record<string, readonly Result[]>>;
  readonly maxAttempts?: number;
  readonly breaker?: BreakerSettings;
  readonly failover?: z.input<typeof failoverSchema>;
  readonly retries?: RetryBudgetSpec;
  readonly headers?: Record<string, string>;
}

function scene(parts: Scene) {
  const { targets, maxAttempts = 3, breaker = { failures: 0, openMs: 1_000 }, failover = {}, retries, headers } = parts;
  const clock = manualClock();
  const left = new Map(Object.entries(targets).map(([id, results]) => [id, [...results]]));
  const compiled = Object.keys(targets).map(
    (id): CompiledTarget => ({
      id,
      providerName: id,
      endpoint: undefined,
      weight: 1,
      model: undefined,
      serves: () => true,
    }),
  );
  const call = (_exchange: Exchange, _operation: unknown, { id }: CompiledTarget): Promise<Answer> => {
    const results = left.get(id) ?? [];
    const result = results.length > 1 ? results.shift() : results[0];
    if (typeof result === "string") return Promise.reject(new GatewayError(result, id));
    const report = typeof result === "object" ? result : undefined;
    const status = typeof result === "object" ? ("failure" in result ? 400 : 429) : (result ?? 200);
    return Promise.resolve({
      status,
      headers: {},
      report,
      body: { type: "whole", frame: textFrame(["from", id]) },
    });
  };
  const heard: string[] = [];
  const upstream = {
    targets: compiled,
    strategy: {
      choose: (offered: readonly CompiledTarget[]) => offered,
      tried: ({ id }: CompiledTarget) => void heard.push(`${id} tried`),
      ended: ({ id }: CompiledTarget, { health }: TryEnd) => void heard.push(`${id} ${health}`),
    },
    maxAttempts,
    timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1 },
    breaker,
    failover: compileFailover(failoverSchema.parse(failover)),
    ...(retries === undefined ? {} : { retries: createRetryBudget(retries) }),
  };
  const tools = { clock, breaker: createBreaker(clock) };
  const api = { protocol: { upstreams: { production: upstream, sandbox: upstream }, own: undefined } };
  const ask = async () => {
    const exchange = buildExchange({ adapter: { ...textAdapter, call }, api, inbound: { headers: headers ?? {} } });
    const result = await callUpstream(exchange, buildOperation(), tools).catch((error: unknown) => error);
    const ended =
      result instanceof GatewayError
        ? result.code
        : result !== null && typeof result === "object" && "status" in result
          ? result.status
          : result;
    return { tried: exchange.attempts.map(({ target }) => target), ended, attempts: exchange.attempts };
  };
  return { ask, clock, heard };
}

describe("the next target is tried", () => {
  test.each<Result>([
    429,
    500,
    503,
    529,
    "upstream.unreachable",
    "upstream.reset",
    "upstream.timeout",
    "upstream.invalid",
    "upstream.credentials",
    "upstream.refused_address",
    "request.invalid",
    "request.not_offered",
    401,
    402,
    403,
    408,
    409,
    504,
  ])("after %s", async (failure) => {
    expect(await scene({ targets: { a: [failure], b: [200] } }).ask()).toMatchObject({ tried: ["a", "b"], ended: 200 });
  });

  test.each<Result>([200, 400, 404, 405, 422, "upstream.too_large"])("not after %s", async (result) => {
    expect(await scene({ targets: { a: [result], b: [200] } }).ask()).toMatchObject({ tried: ["a"], ended: result });
  });

  test("until the tries are spent, and then the last result stands", async () => {
    const { ask } = scene({ targets: { a: [500], b: [503], c: [200] }, maxAttempts: 2 });
    expect(await ask()).toMatchObject({ tried: ["a", "b"], ended: 503 });
  });

  test("until there is none, and then the last result stands", async () => {
    const { ask } = scene({ targets: { a: ["upstream.reset"], b: ["upstream.timeout"] }, maxAttempts: 9 });
    expect(await ask()).toMatchObject({ tried: ["a", "b"], ended: "upstream.timeout" });
  });
});

describe("the same target is tried again", () => {
  test("when the request never reached it", async () => {
    const { ask } = scene({ targets: { a: ["upstream.unreachable", 200] } });
    expect(await ask()).toMatchObject({ tried: ["a", "a"], ended: 200 });
  });

  test.each<Result>(["upstream.reset", "upstream.timeout", 500])(
    "not after %s, for the call may have run",
    async (result) => {
      expect(await scene({ targets: { a: [result, 200] } }).ask()).toMatchObject({ tried: ["a"], ended: result });
    },
  );
});

test("each try is noted with its result", async () => {
  const { attempts } = await scene({ targets: { a: ["upstream.reset"], b: [200] } }).ask();
  expect(attempts).toMatchObject([
    { target: "a", errorCode: "upstream.reset", status: undefined },
    { target: "b", errorCode: undefined, status: 200, model: "small-model" },
  ]);
});

describe("a target that has failed so often in a row", () => {
  const breaker = { failures: 2, openMs: 1_000 };

  test("is passed over until its rest is over, and then is tried by one request", async () => {
    const { ask, clock } = scene({ targets: { a: [500, 500, 200], b: [200] }, breaker });
    expect([(await ask()).tried, (await ask()).tried, (await ask()).tried]).toEqual([["a", "b"], ["a", "b"], ["b"]]);
    clock.advance(1_000);
    expect([(await ask()).tried, (await ask()).tried]).toEqual([["a"], ["a"]]);
  });

  test("and has no other beside it is refused at once", async () => {
    const { ask } = scene({ targets: { a: [500] }, breaker });
    expect([await ask(), await ask(), await ask()].map(({ ended }) => ended)).toEqual([
      500,
      500,
      "upstream.unavailable",
    ]);
  });

  test("is not one that only says no to a client", async () => {
    const { ask } = scene({ targets: { a: [400] }, breaker });
    for (let round = 0; round < 5; round += 1) expect(await ask()).toMatchObject({ ended: 400 });
  });
});

test("the strategy hears of each try and of its end", async () => {
  const { ask, heard } = scene({ targets: { a: [503], b: ["request.invalid"] } });
  await ask();
  expect(heard).toEqual(["a tried", "a bad", "b tried", "b unknown"]);
});

describe("by the class of a failure", () => {
  test.each<FailureClass>(["context-window", "model-not-found"])(
    "the next target is tried after %s",
    async (failure) => {
      expect(await scene({ targets: { a: [{ failure }], b: [200] } }).ask()).toMatchObject({ tried: ["a", "b"] });
    },
  );

  test("another provider is asked past a content policy only when the API says so", async () => {
    const targets = { a: [{ failure: "content-policy" as const }], b: [200] };
    expect(await scene({ targets }).ask()).toMatchObject({ tried: ["a"], ended: 400 });
    const failover = { on: ["content-policy" as const] };
    expect(await scene({ targets, failover }).ask()).toMatchObject({ tried: ["a", "b"], ended: 200 });
  });

  test("a class that is not named ends the tries", async () => {
    const { ask } = scene({ targets: { a: [500], b: [200] }, failover: { on: ["timeout"] } });
    expect(await ask()).toMatchObject({ tried: ["a"], ended: 500 });
  });

  test("some targets are for one class only, in their order, and none of them twice", async () => {
    const failover = { to: { "context-window": ["long*", "a"], timeout: ["c"] } };
    const targets = {
      a: [{ failure: "context-window" as const }],
      b: [200],
      c: [200],
      "long-1": [500],
      "long-2": [200],
    };
    expect(await scene({ targets, failover, maxAttempts: 5 }).ask()).toMatchObject({
      tried: ["a", "long-1", "long-2"],
    });
  });

  test("what cannot be said to a target counts as no try", async () => {
    const { ask } = scene({ targets: { a: ["request.invalid"], b: ["request.invalid"], c: [200] }, maxAttempts: 1 });
    expect(await ask()).toMatchObject({ tried: ["a", "b", "c"], ended: 200 });
  });

  test("what can be said to no target is told to the client", async () => {
    const { ask } = scene({ targets: { a: ["request.invalid"], b: ["request.invalid"] } });
    expect(await ask()).toMatchObject({ ended: "request.invalid" });
  });
});

describe("the retry budget", () => {
  const targets = { a: [503], b: [200] };

  test("is spent by tries beyond the first, and the first result stands when nothing is left", async () => {
    const { ask } = scene({ targets, retries: { share: 0, burst: 2 } });
    const ended = [await ask(), await ask(), await ask()].map((each) => each.ended);
    expect(ended).toEqual([200, 200, 503]);
  });

  test("grows with requests, but not with a client's own retries", async () => {
    const earning = async (headers: Record<string, string>) => {
      const { ask } = scene({ targets, retries: { share: 0.5, burst: 1 }, headers });
      const ended: unknown[] = [];
      for (let request = 0; request < 5; request += 1) ended.push((await ask()).ended);
      return ended;
    };
    expect(await earning({})).toEqual([200, 503, 200, 503, 200]);
    expect(await earning({ "x-stainless-retry-count": "0" })).toEqual([200, 503, 200, 503, 200]);
    expect(await earning({ "x-stainless-retry-count": "2" })).toEqual([200, 503, 503, 503, 503]);
  });

  test("is not asked where the next try is another question", async () => {
    const long = { a: [{ failure: "context-window" as const }], b: [200] };
    expect(await scene({ targets: long, retries: { share: 0, burst: 0 } }).ask()).toMatchObject({ ended: 200 });
  });
});

describe("a target that asks for a rest", () => {
  const breaker = { failures: 5, openMs: 1_000 };

  test("is passed over until it is over, from its first wish on", async () => {
    const { ask, clock } = scene({ targets: { a: [{ restMs: 20_000 }, 200], b: [200] }, breaker });
    expect([(await ask()).tried, (await ask()).tried]).toEqual([["a", "b"], ["b"]]);
    clock.advance(20_000);
    expect((await ask()).tried).toEqual(["a"]);
  });

  test("hears nothing of a storm: when all rest, callers are told when to come back", async () => {
    const { ask, heard } = scene({ targets: { a: [{ restMs: 20_000 }], b: [{ restMs: 30_000 }] }, breaker });
    const ends: unknown[] = [];
    for (let request = 0; request < 1_000; request += 1) ends.push((await ask()).ended);
    expect(new Set(ends.slice(1))).toEqual(new Set(["upstream.unavailable"]));
    expect(heard.filter((word) => word.endsWith("tried"))).toEqual(["a tried", "b tried"]);
  });

  test("gets its share back little by little where there is another", async () => {
    const ramped = { ...breaker, rampMs: 10_000 };
    const { ask, clock } = scene({ targets: { a: [{ restMs: 1_000 }, 200], b: [200] }, breaker: ramped });
    await ask();
    clock.advance(1_000);
    expect([(await ask()).tried, (await ask()).tried]).toEqual([["a"], ["b"]]);
    clock.advance(10_000);
    expect((await ask()).tried).toEqual(["a"]);
  });
});
