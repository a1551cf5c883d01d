import { describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/kernel/error-codes.ts";
import { GatewayError } from "../../src/kernel/errors.ts";
import { createBreaker } from "../../src/pipeline/breaker.ts";
import { callUpstream } from "../../src/pipeline/call-upstream.ts";
import type { TryEnd } from "../../src/pipeline/define-strategy.ts";
import type { Answer, Exchange } from "../../src/pipeline/exchange.ts";
import type { CompiledTarget } from "../../src/pipeline/target.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";
import { manualClock } from "../kit/manual-clock.ts";
import { textAdapter, textFrame } from "../kit/text-adapter.ts";

type Result = number | ErrorCode;

interface Scene {
  /** What each target does, one result after another; the last one holds on. */
  readonly targets: Readonly<Record<string, readonly Result[]>>;
  readonly maxAttempts?: number;
  readonly breaker?: { readonly failures: number; readonly openMs: number };
}

function scene({ targets, maxAttempts = 3, breaker = { failures: 0, openMs: 1_000 } }: Scene) {
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
    return Promise.resolve({
      status: result ?? 200,
      headers: {},
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
  };
  const tools = { clock, breaker: createBreaker(clock) };
  const api = { protocol: { upstreams: { production: upstream, sandbox: upstream }, own: undefined } };
  const ask = async () => {
    const exchange = buildExchange({ adapter: { ...textAdapter, call }, api });
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
  ])("after %s", async (failure) => {
    expect(await scene({ targets: { a: [failure], b: [200] } }).ask()).toMatchObject({ tried: ["a", "b"], ended: 200 });
  });

  test.each<Result>([200, 400, 404, 422, "upstream.too_large", "request.invalid"])("not after %s", async (result) => {
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
