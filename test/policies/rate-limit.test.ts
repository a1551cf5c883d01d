import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/pipeline/exchange.ts";
import { rateLimit } from "../../src/policies/rate-limit.ts";
import { applicationId, buildExchange, buildTools, keyHolder, type TestTools } from "../kit/exchange.ts";
import { limitOfOne } from "../kit/limits.ts";

describe("a limit", () => {
  test("lets as many requests through as it says, then refuses until there is room again", async () => {
    const tools = buildTools();
    const limit = limitOf(tools, { requests: 3, windowMs: 60_000 });
    for (let times = 0; times < 3; times += 1) expect(await limit(buildExchange())).toBeUndefined();
    const refusal = await limit(buildExchange());
    expect(refusal).toMatchObject({
      type: "deny",
      code: "limit.exceeded",
      message: "The limit of 3 requests in 1m0s is used up.",
    });
    const retryAfterMs = refusal?.retryAfterMs ?? 0;
    tools.clock.advance(retryAfterMs - 1);
    expect(await limit(buildExchange())).toMatchObject({ type: "deny" });
    tools.clock.advance(1);
    expect(await limit(buildExchange())).toBeUndefined();
  });

  test("of another place counts for itself", async () => {
    const tools = buildTools();
    const one = limitOf(tools, { requests: 1 }, "llm_1/policies[0]");
    const two = limitOf(tools, { requests: 1 }, "llm_1/policies[1]");
    expect(await one(buildExchange())).toBeUndefined();
    expect(await two(buildExchange())).toBeUndefined();
  });
});

describe("what is counted together", () => {
  const strangerAt = (clientIp: string): Exchange => buildExchange({ principal: undefined, inbound: { clientIp } });
  const holder = (parts: object): Exchange => buildExchange({ principal: { ...keyHolder, ...parts } });
  const application = { applicationId };
  const cases = [
    {
      name: "two keys of one application",
      per: "application",
      pair: [holder({ ...application, keyId: "key_1" }), holder(application)],
      together: true,
    },
    {
      name: "two keys without an application",
      per: "application",
      pair: [holder({ keyId: "key_1" }), holder({})],
      together: false,
    },
    {
      name: "two keys of one application, by key",
      per: "key",
      pair: [holder({ ...application, keyId: "key_1" }), holder(application)],
      together: false,
    },
    {
      name: "two strangers at one address",
      per: "application",
      pair: [strangerAt("192.0.2.1"), strangerAt("192.0.2.1")],
      together: true,
    },
    {
      name: "two strangers at neighbouring addresses",
      per: "key",
      pair: [strangerAt("192.0.2.1"), strangerAt("192.0.2.2")],
      together: false,
    },
    {
      name: "two IPv6 addresses of one network",
      per: "ip",
      pair: [strangerAt("2001:db8::1"), strangerAt("2001:db8::ffff")],
      together: true,
    },
    {
      name: "two IPv6 networks",
      per: "ip",
      pair: [strangerAt("2001:db8::1"), strangerAt("2001:db8:0:1::1")],
      together: false,
    },
    { name: "everybody, by API", per: "api", pair: [strangerAt("192.0.2.1"), holder({})], together: true },
  ] as const;
  test.each(cases)("$name: $together", async ({ per, pair, together }) => {
    const limit = limitOf(buildTools(), { requests: 1, per });
    expect(await limit(pair[0])).toBeUndefined();
    expect((await limit(pair[1])) !== undefined).toBe(together);
  });
});

describe("the headers", () => {
  test("say limit, what is left and when all is free again, let in or not", async () => {
    const limit = limitOf(buildTools(), { requests: 2, windowMs: 120_000 });
    const told: unknown[] = [];
    for (let times = 0; times < 3; times += 1) {
      const exchange = buildExchange();
      await limit(exchange);
      told.push(exchange.responseHeaders);
    }
    expect(told).toMatchObject([headers("2", "1", "1m0s"), headers("2", "0", "2m0s"), headers("2", "0", "2m0s")]);
    expect(told.at(-1)).toMatchObject({
      "x-ratelimit-limit": "2",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": "120",
    });
  });

  test.each([
    { name: "parts of a second", windowMs: 250, reset: "250ms" },
    { name: "seconds with a fraction", windowMs: 1_500, reset: "1.5s" },
    { name: "whole seconds", windowMs: 1_000, reset: "1s" },
    { name: "minutes", windowMs: 360_000, reset: "6m0s" },
    { name: "hours", windowMs: 3_600_000, reset: "1h0m0s" },
    { name: "days", windowMs: 90_061_500, reset: "25h1m1.5s" },
  ])("write $name as Go does", async ({ windowMs, reset }) => {
    const exchange = buildExchange();
    await limitOf(buildTools(), { requests: 1, windowMs })(exchange);
    expect(exchange.responseHeaders["x-ratelimit-reset-requests"]).toBe(reset);
  });

  test("are of the limit that is nearest to its end, in whatever order they stand", async () => {
    const wide = { requests: 100 };
    const tight = { requests: 5 };
    for (const order of [
      [wide, tight],
      [tight, wide],
    ]) {
      const tools = buildTools();
      const exchange = buildExchange();
      for (const [index, config] of order.entries()) await limitOf(tools, config, `place-${index}`)(exchange);
      expect(exchange.responseHeaders["x-ratelimit-limit-requests"]).toBe("5");
      expect(exchange.responseHeaders["x-ratelimit-remaining-requests"]).toBe("4");
    }
  });

  test("are of the limit that refuses, when one does", async () => {
    const tools = buildTools();
    const exhausted = limitOf(tools, { requests: 1 }, "first");
    const refusing = limitOf(tools, { requests: 2 }, "second");
    await refusing(buildExchange());
    await refusing(buildExchange());
    const exchange = buildExchange();
    await exhausted(exchange);
    await refusing(exchange);
    expect(exchange.responseHeaders["x-ratelimit-limit-requests"]).toBe("2");
  });
});

test("a limiter that answers later is waited for", async () => {
  const tools = buildTools();
  const { limiter } = tools;
  const slow = {
    ...tools,
    limiter: { ...limiter, take: async (charges: Parameters<typeof limiter.take>[0]) => limiter.take(charges) },
  };
  const limit = limitOf(slow, { requests: 1 });
  expect(await limit(buildExchange())).toBeUndefined();
  expect(await limit(buildExchange())).toMatchObject({ code: "limit.exceeded" });
});

function headers(limit: string, remaining: string, reset: string): object {
  return {
    "x-ratelimit-limit-requests": limit,
    "x-ratelimit-remaining-requests": remaining,
    "x-ratelimit-reset-requests": reset,
  };
}

function limitOf(tools: TestTools, config: object, place = "llm_1/policies[0]") {
  const limit = limitOfOne(tools, rateLimit.compile(rateLimit.config.parse(config), tools, { place }));
  return (exchange: Exchange) => limit.admit(exchange);
}
