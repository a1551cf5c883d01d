import { describe, expect, test } from "vitest";
import type { Strategy } from "../../src/pipeline/define-strategy.ts";
import type { Exchange } from "../../src/pipeline/exchange.ts";
import type { Shadow, ShadowSettings } from "../../src/pipeline/shadow-route.ts";
import { createShadow, shadowOf, shadowWait } from "../../src/pipeline/shadow-route.ts";
import type { CompiledTarget } from "../../src/pipeline/target.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";
import { manualClock } from "../kit/manual-clock.ts";

const target = (id: string): CompiledTarget => ({
  id,
  providerName: id,
  endpoint: undefined,
  weight: 1,
  model: undefined,
  serves: () => true,
});
const [small, large] = [target("small"), target("large")];
const led = { open: [small, large], order: [large, small] };
const operation = buildOperation({});

const settings: ShadowSettings = { strategyId: "mine", sample: 1, timeoutMs: 1_000 };

function exchangeOf(lastDigits: string): Exchange {
  const exchange = buildExchange();
  return { ...exchange, id: `${exchange.id.slice(0, -8)}${lastDigits}` as Exchange["id"] }; // an id like any other
}

/** A strategy that gives its reasons, as those do that look into requests. */
const reasoning: Strategy = {
  choose(_targets, exchange) {
    exchange.route = { strategy: "mine", route: "cheap", reason: "matched", scores: [], tookMs: 1 };
    return [small, large];
  },
};

function ask(shadow: Shadow, exchange = buildExchange(), clock = manualClock()): Exchange {
  shadow.ask(exchange, operation, led, clock);
  return exchange;
}

describe("a router in the shadow", () => {
  test("tells what it would have done, and leaves the reasons of the one that leads", () => {
    const exchange = buildExchange();
    const route = { strategy: "lead", route: "dear", reason: "matched", scores: [], tookMs: 1 };
    exchange.route = route;
    ask(createShadow(reasoning, settings), exchange);
    expect(shadowOf(exchange)).toMatchObject({
      strategy: "mine",
      ledTo: "large",
      target: small,
      route: "cheap",
      reason: "matched",
    });
    expect(exchange.route).toBe(route);
    expect(shadowWait(exchange)).toBeUndefined();
  });

  test("is waited for as long as its time lasts, and not told of when it comes later", async () => {
    const clock = manualClock();
    const { promise, resolve } = Promise.withResolvers<readonly CompiledTarget[]>();
    const exchange = ask(createShadow({ choose: () => promise }, settings), undefined, clock);
    expect(shadowOf(exchange)).toBeUndefined();
    clock.advance(1_000);
    await shadowWait(exchange);
    resolve([small]);
    await promise;
    expect(shadowOf(exchange)).toMatchObject({ target: undefined, reason: "deadline", tookMs: 1_000 });
  });

  test("that decides in time is told of", async () => {
    const exchange = ask(createShadow({ choose: async () => [small] }, settings));
    await shadowWait(exchange);
    expect(shadowOf(exchange)).toMatchObject({ target: small, reason: "" });
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ])("that %s hurts nobody", async (_name, choose) => {
    const exchange = ask(createShadow({ choose }, settings));
    await shadowWait(exchange);
    expect(shadowOf(exchange)).toMatchObject({ target: undefined, reason: "failed" });
  });

  test("is not asked about more than 100 requests at a time", async () => {
    const { promise, resolve } = Promise.withResolvers<readonly CompiledTarget[]>();
    const shadow = createShadow({ choose: () => promise }, settings);
    const asked = Array.from({ length: 100 }, () => ask(shadow));
    expect(shadowOf(ask(shadow))).toMatchObject({ reason: "busy", target: undefined });
    resolve([small]);
    for (const each of asked) await shadowWait(each);
    const later = ask(shadow);
    await shadowWait(later);
    expect(shadowOf(later)).toMatchObject({ target: small });
  });

  test.each([
    [0, "00000000", false],
    [0.5, "7fffffff", true],
    [0.5, "80000000", false],
    [1, "ffffffff", true],
  ])("with a sample of %s is asked about an exchange that ends in %s: %s", (sample, digits, isAsked) => {
    const exchange = ask(createShadow(reasoning, { ...settings, sample }), exchangeOf(digits));
    expect(shadowOf(exchange) !== undefined).toBe(isAsked);
  });
});
