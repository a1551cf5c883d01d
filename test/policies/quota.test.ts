import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { Exchange } from "../../src/pipeline/exchange.ts";
import { quota } from "../../src/policies/quota.ts";
import type { ExchangeParts } from "../kit/exchange.ts";
import { applicationId, buildTools, keyHolder } from "../kit/exchange.ts";
import { admitCall, buildCall } from "../kit/llm-limits.ts";

function quotaOf(config: z.input<typeof quota.config>, startMs?: number) {
  const tools = buildTools();
  if (startMs !== undefined) tools.clock.advance(startMs - tools.clock.now());
  const policy = quota.compile(quota.config.parse(config), tools, { place: "plan_x/policies[0]" });
  const headers: Exchange["responseHeaders"][] = [];
  const ask = async (parts: ExchangeParts & { name?: string; kind?: string } = {}) => {
    const { name = "m", kind = "chat", ...more } = parts;
    const call = buildCall({ ...more, operation: { name, kind } });
    const begun = await admitCall(policy, tools.limiter, call);
    headers.push(call.exchange.responseHeaders);
    if ("type" in begun) return begun;
    await begun.end();
    return undefined;
  };
  return { tools, ask, headers };
}

const perDay = (requests: number) => [{ requests, window: "day" as const }];

describe("windows", () => {
  test("all hold: a request that one refuses counts in none", async () => {
    const windows = [
      { requests: 2, window: { milliseconds: 1_000 } },
      { requests: 3, window: "month" as const },
    ];
    const { ask, tools, headers } = quotaOf({ windows });
    expect([await ask(), await ask()]).toEqual([undefined, undefined]);
    expect(await ask()).toMatchObject({
      code: "limit.exceeded",
      message: "The limit of 2 requests in 1000 ms is used up.",
    });
    tools.clock.advance(1_000);
    expect(await ask()).toBeUndefined(); // the third of the month: the refused one was none
    expect(headers.at(-1)).toMatchObject({ "x-ratelimit-limit-requests": "3", "x-ratelimit-remaining-requests": "0" });
    expect(headers.at(-1)).toMatchObject({ "x-ratelimit-limit": "3", "x-ratelimit-remaining": "0" });
    expect(await ask()).toMatchObject({ code: "limit.budget" }); // no use to try again before the month is over
  });

  test("of the same length are each counted", async () => {
    const { ask } = quotaOf({ windows: [...perDay(5), ...perDay(1)] });
    expect([await ask(), (await ask())?.code]).toEqual([undefined, "limit.budget"]);
  });

  test.each([
    ["midnight", "day", "UTC", "2026-06-01T23:59:59.999Z", 1],
    ["midnight of the zone", "day", "Europe/Vienna", "2026-06-01T21:59:59.999Z", 1],
    ["the night when clocks go back", "day", "America/New_York", "2026-11-02T04:59:59.999Z", 1],
    ["the night when clocks go forward", "day", "Europe/Vienna", "2026-03-29T21:59:59.999Z", 1],
    ["the end of a month of 28 days", "month", "UTC", "2026-02-28T23:59:59.999Z", 1],
    ["the end of a year", "month", "UTC", "2026-12-31T23:59:59.999Z", 1],
  ] as const)("end at %s and not a millisecond before", async (_name, window, timeZone, lastMoment, ms) => {
    const { ask, tools } = quotaOf(
      { windows: [{ requests: 1, window }], timeZone },
      Date.parse(lastMoment) - 3_600_000,
    );
    expect(await ask()).toBeUndefined();
    tools.clock.advance(3_600_000);
    expect((await ask())?.code).toBe("limit.exceeded");
    tools.clock.advance(ms);
    expect(await ask()).toBeUndefined();
  });

  test("of nought requests let nothing through, and promise nothing", async () => {
    const refusal = await quotaOf({ windows: perDay(0) }).ask();
    expect(refusal).toMatchObject({ code: "limit.budget" });
    expect(refusal?.retryAfterMs).toBeUndefined();
  });

  test("as large as can be said are counted", async () => {
    const { ask, headers } = quotaOf({
      windows: [{ requests: 1_000_000_000, window: { milliseconds: 31_622_400_000 } }],
    });
    expect(await ask()).toBeUndefined();
    expect(headers[0]?.["x-ratelimit-remaining-requests"]).toBe("999999999");
  });

  test.each([
    ["none", { windows: [] }],
    ["a negative one", { windows: [{ requests: -1, window: "day" }] }],
    ["a fraction", { windows: [{ requests: 1.5, window: "day" }] }],
    ["one too large", { windows: [{ requests: 1e12, window: "day" }] }],
    ["an unknown length", { windows: [{ requests: 1, window: "fortnight" }] }],
    ["a length of nothing", { windows: [{ requests: 1, window: { milliseconds: 0 } }] }],
    ["an unknown time zone", { windows: perDay(1), timeZone: "Atlantis" }],
    ["a label that is none", { windows: perDay(1), per: { label: "Not A Label" } }],
    ["an unknown subject", { windows: perDay(1), per: "mood" }],
  ])("are refused with %s", (_name, config) => {
    expect(quota.config.safeParse(config).success).toBe(false);
  });
});

describe("subjects", () => {
  const holder = (more: object) => ({ principal: { ...keyHolder, ...more } });
  test.each<
    [
      name: string,
      per: unknown,
      one: ExchangeParts & { name?: string },
      same: ExchangeParts & { name?: string },
      other: ExchangeParts & { name?: string },
    ]
  >([
    ["teams", "team", holder({ teamId: "t1" }), holder({ teamId: "t1", keyId: "key_2" }), holder({ teamId: "t2" })],
    ["applications", "application", holder({ applicationId }), holder({ applicationId, keyId: "key_2" }), holder({})],
    ["subscriptions", "subscription", holder({ applicationId }), holder({ applicationId, keyId: "key_2" }), holder({})],
    ["keys", "key", holder({ applicationId }), holder({}), holder({ applicationId, keyId: "key_2" })],
    ["models", "model", { name: "a" }, { name: "a", ...holder({ keyId: "key_2" }) }, { name: "b" }],
    [
      "labels",
      { label: "dept" },
      { labels: { dept: "x" } },
      { labels: { dept: "x", more: "y" } },
      { labels: { dept: "y" } },
    ],
    ["labels that are not there", { label: "dept" }, {}, { labels: { other: "x" } }, { labels: { dept: "y" } }],
  ])("that are %s are counted each by itself", async (_name, per, one, same, other) => {
    const { ask } = quotaOf({ windows: perDay(1), per: per as "team" }); // as the table says
    expect(await ask(one)).toBeUndefined();
    expect((await ask(same))?.code).toBe("limit.budget");
    expect(await ask(other)).toBeUndefined();
  });
});

describe("what operations count as", () => {
  const cost = [
    { on: ["tools/list", "initialize"], requests: 0 },
    { on: ["report-*"], requests: 10 },
    { on: ["tools/call"], requests: 2 },
  ];

  test("is the first entry that fits by tool or kind, and one where none does", async () => {
    const { ask } = quotaOf({ windows: perDay(13), cost });
    expect(await ask({ kind: "tools/call", name: "report-sales" })).toBeUndefined(); // 10
    expect((await ask({ kind: "tools/call", name: "report-more" }))?.code).toBe("limit.budget");
    expect(await ask({ kind: "tools/call", name: "echo" })).toBeUndefined(); // 12
    expect(await ask({ kind: "ping", name: "" })).toBeUndefined(); // 13
    expect((await ask({ kind: "ping", name: "" }))?.code).toBe("limit.budget");
  });

  test("may be nothing, which passes a limit that is used up", async () => {
    const { ask } = quotaOf({ windows: perDay(0), cost });
    expect(await ask({ kind: "tools/list", name: "" })).toBeUndefined();
  });
});
