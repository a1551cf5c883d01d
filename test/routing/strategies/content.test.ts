import { describe, expect, test } from "vitest";
import type { z } from "zod";
import type { Principal } from "../../../src/pipeline/exchange.ts";
import { content } from "../../../src/routing/strategies/content.ts";
import type { ExchangeParts } from "../../kit/exchange.ts";
import { buildExchange, buildOperation, buildTools, keyHolder } from "../../kit/exchange.ts";
import { targetCalled } from "../../kit/targets.ts";

type Config = z.input<typeof content.config>;
type Rule = Config["rules"][number];
type Test = NonNullable<Rule["tests"]>[number];
type Asked = ExchangeParts & { message?: unknown; limitLeft?: number };

const targets = ["openai/big", "openai/small", "other/spare"].map((id) => targetCalled(id));

function compiled(rules: readonly Omit<Rule, "name" | "targets">[], more: Partial<Config> = {}) {
  const tools = buildTools();
  const named = rules.map((rule, index) => ({ name: `rule-${index}`, targets: ["openai/big"], ...rule }));
  const strategy = content.compile(content.config.parse({ rules: named, default: ["other/*"], ...more }), tools);
  const ask = (parts: Asked = {}) => {
    const exchange = buildExchange(parts);
    exchange.limitLeft = parts.limitLeft;
    const chosen = strategy.choose(targets, exchange, buildOperation({ message: parts.message }));
    if (chosen instanceof Promise) throw new Error("it answers at once");
    return { first: chosen[0]?.id, ids: chosen.map(({ id }) => id), ...exchange.route };
  };
  return { tools, strategy, ask };
}

const header = (name: string, value: string | string[]): ExchangeParts => ({ inbound: { headers: { [name]: value } } });

describe("a rule's tests", () => {
  test.each([
    { name: "a header", rule: { in: "header", name: "X-Tier", value: "gold" }, fits: header("x-tier", "gold") },
    {
      name: "one of a header's values",
      rule: { in: "header", name: "via", value: "b" },
      fits: header("via", ["a", "b"]),
    },
    {
      name: "a decoded parameter",
      rule: { in: "query", name: "q", value: "a b" },
      fits: { inbound: { query: "x=1&q=a%20b" } },
    },
    {
      name: "one of a parameter's",
      rule: { in: "query", name: "q", value: "2" },
      fits: { inbound: { query: "q=1&q=2" } },
    },
    {
      name: "a claim",
      rule: { in: "claim", name: "org", value: "acme" },
      fits: { principal: claiming({ org: "acme" }) },
    },
    {
      name: "one of a claim's",
      rule: { in: "claim", name: "roles", value: "dev" },
      fits: { principal: claiming({ roles: ["ops", "dev"] }) },
    },
    {
      name: "a member of the body",
      rule: { in: "body", name: "$.metadata.tier", is: "one-of", values: ["free"] },
      fits: { message: { metadata: { tier: "free" } } },
    },
    { name: "a number of the body", rule: { in: "body", name: "$.n", value: "3" }, fits: { message: { n: 3 } } },
    { name: "a beginning", rule: { in: "header", name: "a", is: "prefix", value: "be" }, fits: header("a", "beta") },
    { name: "an end", rule: { in: "header", name: "a", is: "suffix", value: "ta" }, fits: header("a", "beta") },
    {
      name: "a part, whatever its case",
      rule: { in: "header", name: "a", is: "containing", value: "ET", ignoreCase: true },
      fits: header("a", "beta"),
    },
    { name: "a pattern", rule: { in: "header", name: "a", is: "matching", value: "^b.t" }, fits: header("a", "beta") },
    { name: "being there", rule: { in: "body", name: "$.tools", is: "there" }, fits: { message: { tools: [] } } },
  ] satisfies readonly { name: string; rule: Test; fits: Asked }[])("look for $name", ({ rule, fits }) => {
    const { ask } = compiled([{ tests: [rule] }]);
    expect(ask(fits)).toMatchObject({ first: "openai/big", route: "rule-0", reason: "matched" });
    expect(ask()).toMatchObject({ first: "other/spare", route: undefined, reason: "no-rule" });
  });

  test("must all fit, and what is absent fits where absence is asked for", () => {
    const { ask } = compiled([
      {
        tests: [
          { in: "header", name: "a", value: "1" },
          { in: "claim", name: "org", is: "absent" },
        ],
      },
    ]);
    expect(ask(header("a", "1")).route).toBe("rule-0");
    expect(ask({ ...header("a", "1"), principal: claiming({ org: "acme" }) }).route).toBeUndefined();
    expect(ask({ ...header("a", "1"), principal: claiming({ toString: 1 }) }).route).toBe("rule-0");
  });

  test("an object, null and a name of every object's equal nothing", () => {
    const { ask } = compiled([
      { tests: [{ in: "body", name: "$.a", is: "containing", value: "" }] },
      { tests: [{ in: "claim", name: "constructor", is: "there" }] },
    ]);
    for (const a of [{}, null, [null, {}]])
      expect(ask({ message: { a }, principal: claiming({}) }).route).toBeUndefined();
    expect(ask({ message: "no object" }).route).toBeUndefined();
  });

  test("the first rule that fits decides, and the default's targets stand behind its own", () => {
    const { ask } = compiled([
      { tests: [{ in: "header", name: "a", is: "there" }], targets: ["*/small", "openai/*"] },
      { tests: [{ in: "header", name: "a", value: "1" }], targets: ["openai/big"] },
    ] as Rule[]);
    expect(ask(header("a", "1")).ids).toEqual(["openai/small", "openai/big", "other/spare"]);
  });
});

describe("a rule's condition", () => {
  test("sees the caller, the body and what is left of limits", () => {
    const { ask } = compiled([
      { when: "budget.left < 0.1" },
      { when: "body.max_tokens > 1000 && principal.type == 'api-key'", targets: ["openai/small"] },
    ] as Rule[]);
    expect(ask({ limitLeft: 0.05 }).route).toBe("rule-0");
    expect(ask({ limitLeft: 0.5, message: { max_tokens: 2_000 } }).route).toBe("rule-1");
    expect(ask({ message: { max_tokens: 2_000 }, principal: claiming({}) }).route).toBeUndefined();
    expect(ask({ message: { max_tokens: "many" } }).route).toBeUndefined();
  });

  test("sees how targets do: health, who waits there, and the slowest of their answers", () => {
    const { ask, strategy, tools } = compiled([
      { when: "!targets['openai/big'].healthy", targets: ["openai/small"] },
      { when: "targets['openai/big'].waiting >= 2", targets: ["other/spare"] },
      { when: "targets['openai/big'].p95Ms > 500.0", targets: ["other/*"] },
    ] as Rule[]);
    const big = targetCalled("openai/big");
    expect(ask().route).toBeUndefined();
    strategy.tried?.(big);
    strategy.tried?.(big);
    expect(ask().route).toBe("rule-1");
    strategy.ended?.(big, { tookMs: 600, health: "good" });
    strategy.ended?.(big, { tookMs: 20, health: "good" });
    expect(ask().route).toBe("rule-2");
    for (let failure = 0; failure < 3; failure += 1) strategy.ended?.(big, { tookMs: 1, health: "bad" });
    expect(ask().route).toBe("rule-0");
    tools.clock.advance(30_000);
    expect(ask().route).toBe("rule-2");
  });

  test("sees the time of day where the operator lives", () => {
    const { ask, tools } = compiled([{ when: "time.hour >= 22 || time.hour < 6 && time.weekday <= 7" }], {
      timeZone: "Asia/Tokyo",
    });
    const hour = new Date(tools.clock.now()).getUTCHours();
    tools.clock.advance(((24 + 15 - hour) % 24) * 3_600_000); // midnight in Tokyo
    expect(ask().route).toBe("rule-0");
    tools.clock.advance(6 * 3_600_000);
    expect(ask().route).toBeUndefined();
  });
});

test.each([
  { name: "neither tests nor a condition", rule: {}, says: "neither tests nor a condition" },
  { name: "no value", rule: { tests: [{ in: "header", name: "a" }] }, says: "`value`" },
  { name: "no values", rule: { tests: [{ in: "header", name: "a", is: "one-of" }] }, says: "`values`" },
  { name: "no path", rule: { tests: [{ in: "body", name: "$.a[*]", is: "there" }] }, says: "no path" },
  { name: "no pattern", rule: { tests: [{ in: "header", name: "a", is: "matching", value: "(" }] }, says: "(" },
  { name: "no CEL", rule: { when: "budget.left <" }, says: "not valid CEL" },
  { name: "another variable", rule: { when: "secrets.all == 1" }, says: "not valid CEL" },
] satisfies readonly { name: string; rule: Partial<Rule>; says: string }[])(
  "a rule with $name is refused at publish",
  ({ rule, says }) => {
    expect(() => compiled([rule])).toThrow(says);
  },
);

test("a time zone that is none is refused", () => {
  expect(content.config.safeParse({ rules: [], default: ["*"], timeZone: "Mars/Olympus" }).success).toBe(false);
});

function claiming(claims: Readonly<Record<string, unknown>>): Principal {
  return { ...keyHolder, type: "token", claims };
}
