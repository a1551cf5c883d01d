import { describe, expect, test } from "vitest";
import type { OwnBudget, PolicyHandlers } from "../../src/pipeline/define-policy.ts";
import type { Exchange } from "../../src/pipeline/exchange.ts";
import type { Charge, Limiter, LimitRule, Taken } from "../../src/pipeline/limiter.ts";
import { deny } from "../../src/pipeline/outcome.ts";
import { createLimitGate } from "../../src/pipeline/run-limits.ts";
import type { Attachment } from "../../src/pipeline/snapshot.ts";
import { createMemoryLimiter } from "../../src/store/memory/limiter.ts";
import { applicationId, buildExchange, buildOperation, keyHolder, planId } from "../kit/exchange.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { answered, attachPolicy, limitsChain } from "../kit/limits.ts";
import { manualClock } from "../kit/manual-clock.ts";

function ruleOf(limit: number): LimitRule {
  return { type: "quota", limit, startsAtMs: Date.UTC(2026, 0, 1), windowMs: 86_400_000 };
}

/** A policy that charges so much of a counter of its own. */
function charging(key: string, limit: number, amount = 1, more: PolicyHandlers = {}): PolicyHandlers {
  return { charges: () => [{ key, rule: ruleOf(limit), amount }], ...more };
}

function setUp(around: (limiter: Limiter) => Limiter = (limiter) => limiter) {
  const clock = manualClock();
  const log = memoryLog();
  const limiter = createMemoryLimiter({ clock, maxKeys: 100 });
  const gate = createLimitGate({ limiter: around(limiter), clock, log, timeoutMs: 100 });
  const standing = (key: string, rule = ruleOf(100)) => limiter.look([{ key, rule }])[0];
  return { clock, log, limiter, gate, standing };
}

function exchangeOf(...attachments: readonly Attachment[]): Exchange {
  return buildExchange({ api: { chain: limitsChain(...attachments) } });
}

describe("what several policies charge", () => {
  test("is taken together or not at all, and the first that does not fit refuses", async () => {
    const { gate, standing } = setUp();
    const exchange = exchangeOf(
      attachPolicy(charging("roomy", 100), { use: "roomy" }),
      attachPolicy(charging("full", 0), { use: "full" }),
      attachPolicy(charging("fuller", 0), { use: "fuller" }),
    );
    const outcome = await gate.admit(exchange, buildOperation());
    expect(outcome).toMatchObject({
      type: "denied",
      by: "full",
      deny: { code: "limit.exceeded", retryAfterMs: 86_400_000 },
    });
    expect(standing("roomy")).toMatchObject({ used: 0, reserved: 0 });
    expect(exchange.decisions).toMatchObject([{ policy: "full", step: "admit", action: "deny", mode: "enforce" }]);
  });

  test("comes from the key's budgets, the API, the team, the application and the plan, in this order", async () => {
    const { gate } = setUp();
    const budget: OwnBudget = {
      use: "budget",
      place: "key",
      onError: "deny",
      policy: charging("key", 1) as OwnBudget["policy"],
    };
    const chainOf = (use: string) => limitsChain(attachPolicy(charging(use, 1), { use }));
    const order: string[] = [];
    const base = buildExchange({ api: { chain: chainOf("api") } });
    const exchange: Exchange = {
      ...base,
      principal: { ...keyHolder, applicationId, planId, teamId: "team_1", budgets: [budget] },
      snapshot: {
        ...base.snapshot,
        plans: new Map([[planId as string, chainOf("plan")]]),
        holders: new Map([
          ["team_1", chainOf("team")],
          [applicationId as string, chainOf("application")],
        ]),
      },
    };
    const watched = createLimitGate({
      ...setUp(),
      limiter: recording((charges) => order.push(...charges.map(({ key }) => key))),
    });
    expect(await watched.admit(exchange, buildOperation())).toBeUndefined();
    expect(order).toEqual(["key", "api", "team", "application", "plan"]);
    await gate.admit(exchange, buildOperation());
    expect(await gate.admit(exchange, buildOperation())).toMatchObject({ by: "budget" });
  });

  test("is nothing where policies do not apply or charge nothing, and then no limiter is asked", async () => {
    const gate = createLimitGate({ ...setUp(), limiter: recording(() => expect.unreachable()) });
    const exchange = exchangeOf(
      attachPolicy(charging("a", 0), { applies: () => false }),
      attachPolicy({ charges: () => undefined }),
      attachPolicy({ charges: () => [] }),
    );
    expect(gate.admit(exchange, buildOperation())).toBeUndefined();
    expect(gate.admit(buildExchange(), buildOperation())).toBeUndefined();
  });

  test("is told to each policy with its own decisions; a refusal is said in the policy's words", async () => {
    const { gate } = setUp();
    const told: unknown[] = [];
    const more = (name: string): PolicyHandlers => ({
      charged: (_exchange, _operation, charges, decisions) =>
        told.push([name, charges.map(({ key }) => key), decisions.map(({ remaining }) => remaining)]),
      refused: (_exchange, _operation, { key }, { remaining }) =>
        deny("limit.exceeded", `${name}: ${key} has ${remaining}`),
    });
    const two = (): Charge[] => [
      { key: "x", rule: ruleOf(5), amount: 1 },
      { key: "y", rule: ruleOf(1), amount: 1 },
    ];
    const exchange = exchangeOf(
      attachPolicy(charging("a", 9, 2, more("one"))),
      attachPolicy({ charges: two, ...more("two") }),
    );
    await gate.admit(exchange, buildOperation());
    expect(told).toEqual([
      ["one", ["a"], [7]],
      ["two", ["x", "y"], [4, 0]],
    ]);
    expect(await gate.admit(exchange, buildOperation())).toMatchObject({ deny: { message: "two: y has 0" } });
    expect(told).toHaveLength(2);
  });
});

describe("in monitor mode", () => {
  test("what does not fit is noted and passed, and what fits is counted", async () => {
    const { gate, standing } = setUp();
    const silent = { charged: () => expect.unreachable() };
    const exchange = exchangeOf(
      attachPolicy(charging("watched", 1, 1, silent), { use: "watched", mode: "monitor" }),
      attachPolicy(charging("real", 9)),
    );
    await gate.admit(exchange, buildOperation());
    expect(exchange.decisions).toEqual([]);
    expect(await gate.admit(exchange, buildOperation())).toBeUndefined();
    expect(exchange.decisions).toMatchObject([
      { policy: "watched", action: "deny", mode: "monitor", code: "limit.exceeded" },
    ]);
    expect(standing("watched")).toMatchObject({ reserved: 1 });
    expect(standing("real")).toMatchObject({ reserved: 2 });
  });
});

describe("at the end of an operation", () => {
  test("each policy says what was really used, once", async () => {
    const { gate, standing } = setUp();
    const exchange = exchangeOf(
      attachPolicy(charging("tokens", 100, 40, { settle: () => [7] })),
      attachPolicy(charging("requests", 100)),
      attachPolicy(charging("silent", 100, 5, { settle: () => undefined })),
    );
    const operation = buildOperation();
    await gate.admit(exchange, operation);
    await gate.settle(exchange, operation, answered);
    await gate.settle(exchange, operation, answered);
    expect(standing("tokens")).toMatchObject({ used: 7, reserved: 0 });
    expect(standing("requests")).toMatchObject({ used: 1, reserved: 0 });
    expect(standing("silent")).toMatchObject({ used: 5, reserved: 0 });
  });

  test("a policy that breaks while it settles leaves what was reserved, and the others settle", async () => {
    const { gate, standing, log } = setUp();
    const settle = (): never => {
      throw new Error("broken");
    };
    const exchange = exchangeOf(
      attachPolicy(charging("broken", 100, 9, { settle })),
      attachPolicy(charging("whole", 100, 9, { settle: () => [1] })),
    );
    const operation = buildOperation();
    await gate.admit(exchange, operation);
    await gate.settle(exchange, operation, answered);
    expect(standing("broken")).toMatchObject({ used: 9 });
    expect(standing("whole")).toMatchObject({ used: 1 });
    expect(log.lines).toMatchObject([{ level: "error" }]);
  });

  test("an operation that was refused, or never charged, settles nothing", async () => {
    const { gate } = setUp((limiter) => ({ ...limiter, settle: () => expect.unreachable() }));
    const exchange = exchangeOf(attachPolicy(charging("full", 0)));
    const operation = buildOperation();
    await gate.admit(exchange, operation);
    await gate.settle(exchange, operation, answered);
    await gate.settle(exchange, buildOperation(), answered);
  });

  test("what rates alone have let through is not settled: nothing would change", async () => {
    const { gate, limiter } = setUp((own) => ({ ...own, settle: () => expect.unreachable() }));
    const rule: LimitRule = { type: "rate", limit: 9, windowMs: 1_000 };
    const exchange = exchangeOf(attachPolicy({ charges: () => [{ key: "a", rule, amount: 1 }] }));
    const operation = buildOperation();
    await gate.admit(exchange, operation);
    await gate.settle(exchange, operation, answered);
    expect(limiter.look([{ key: "a", rule }])).toMatchObject([{ used: 1 }]);
  });

  test("a limiter that cannot settle is logged, and nobody hears of it", async () => {
    for (const settle of [() => fail(), () => Promise.reject(new Error("away"))]) {
      const { gate, log } = setUp((limiter) => ({ ...limiter, settle }));
      const exchange = exchangeOf(attachPolicy(charging("a", 9)));
      const operation = buildOperation();
      await gate.admit(exchange, operation);
      await gate.settle(exchange, operation, answered);
      expect(log.lines).toMatchObject([{ level: "warn" }]);
    }
  });
});

describe("a limiter that fails", () => {
  const ways: readonly [string, Limiter["take"]][] = [
    ["at once", () => fail()],
    ["later", () => Promise.reject(new Error("away"))],
  ];

  test.each(ways)("%s refuses where a policy says so, as not available", async (_name, take) => {
    const { gate } = setUp((limiter) => ({ ...limiter, take }));
    const exchange = exchangeOf(
      attachPolicy(charging("a", 9), { use: "passed", onError: "continue" }),
      attachPolicy(charging("b", 9), { use: "strict" }),
    );
    const outcome = await gate.admit(exchange, buildOperation());
    expect(outcome).toMatchObject({ type: "denied", by: "strict", deny: { code: "limit.unavailable" } });
    expect(JSON.stringify(outcome)).not.toMatch(/"message":"[^"]*away/);
    expect(exchange.decisions).toMatchObject([
      { policy: "passed", action: "error", code: "limit.unavailable" },
      { policy: "strict", action: "error", code: "limit.unavailable" },
    ]);
  });

  test.each(ways)(
    "%s lets pass where every policy is set to continue or only monitors, and is noted",
    async (_name, take) => {
      const { gate } = setUp((limiter) => ({ ...limiter, take }));
      const exchange = exchangeOf(
        attachPolicy(charging("a", 9), { onError: "continue" }),
        attachPolicy(charging("b", 9), { mode: "monitor" }),
      );
      expect(await gate.admit(exchange, buildOperation())).toBeUndefined();
      expect(exchange.decisions).toMatchObject([{ action: "error" }, { action: "error", mode: "monitor" }]);
    },
  );

  test("to answer in time has failed, and what it took too late is given back", async () => {
    const answer = Promise.withResolvers<Taken>();
    const { gate, clock, limiter, standing } = setUp((inner) => ({ ...inner, take: () => answer.promise }));
    const exchange = exchangeOf(attachPolicy(charging("a", 9, 4)));
    const admitted = gate.admit(exchange, buildOperation());
    clock.advance(100);
    expect(await admitted).toMatchObject({ deny: { code: "limit.unavailable" } });
    answer.resolve(limiter.take([{ key: "a", rule: ruleOf(9), amount: 4 }]));
    await answer.promise;
    await Promise.resolve();
    expect(standing("a")).toMatchObject({ used: 0, reserved: 0 });
  });

  test("is another thing than a policy that fails to say what it charges", async () => {
    const { gate } = setUp();
    const broken = { charges: fail };
    const strict = exchangeOf(attachPolicy(broken));
    expect(await gate.admit(strict, buildOperation())).toMatchObject({ deny: { code: "policy.failed" } });
    const lenient = exchangeOf(
      attachPolicy(broken, { onError: "continue" }),
      attachPolicy(charging("a", 0), { use: "next" }),
    );
    expect(await gate.admit(lenient, buildOperation())).toMatchObject({ by: "next" });
  });
});

test("a limiter that answers later is waited for, with the same result", async () => {
  const { gate, standing } = setUp((limiter) => ({
    ...limiter,
    take: async (charges) => limiter.take(charges),
    settle: async (reservation, amounts) => limiter.settle(reservation, amounts),
  }));
  const exchange = exchangeOf(attachPolicy(charging("a", 1, 1, { settle: () => [0] })));
  const operation = buildOperation();
  expect(await gate.admit(exchange, operation)).toBeUndefined();
  expect(await gate.admit(exchange, buildOperation())).toMatchObject({ deny: { code: "limit.exceeded" } });
  await gate.settle(exchange, operation, answered);
  expect(standing("a")).toMatchObject({ used: 0, reserved: 0 });
});

function recording(took: (charges: readonly Charge[]) => void): Limiter {
  const { limiter } = setUp();
  return {
    ...limiter,
    take(charges) {
      took(charges);
      return limiter.take(charges);
    },
  };
}

function fail(): never {
  throw new Error("away");
}
