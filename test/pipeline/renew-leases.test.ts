import { expect, test } from "vitest";
import type { LimitRule } from "../../src/pipeline/limiter.ts";
import { createLimitGate } from "../../src/pipeline/run-limits.ts";
import { createMemoryLimiter } from "../../src/store/memory/limiter.ts";
import { buildExchange, buildOperation } from "../kit/exchange.ts";
import { memoryLog } from "../kit/gatehouse.ts";
import { answered, attachPolicy, limitsChain } from "../kit/limits.ts";
import { manualClock } from "../kit/manual-clock.ts";

const rule: LimitRule = { type: "concurrent", limit: 9, leaseMs: 30_000 };
const chain = limitsChain(attachPolicy({ charges: () => [{ key: "p", rule, amount: 1 }] }));

function setUp(whenAsked: () => void = () => undefined) {
  const clock = manualClock();
  const log = memoryLog();
  const renewed: number[] = [];
  const limiter = createMemoryLimiter({ clock, maxKeys: 100 });
  const renew: typeof limiter.renew = (reservations) => {
    renewed.push(reservations.length);
    whenAsked();
    limiter.renew(reservations);
  };
  const gate = createLimitGate({ limiter: { ...limiter, renew }, clock, log });
  return { clock, log, gate, renewed, exchange: buildExchange({ api: { chain } }) };
}

test("places are renewed for as long as their operations last, in one call, and not after that", async () => {
  const { clock, gate, renewed, exchange } = setUp();
  const [one, two] = [buildOperation(), buildOperation()];
  await gate.admit(exchange, one);
  await gate.admit(exchange, two);
  clock.advance(25_000);
  expect(renewed).toEqual([2, 2]);
  await gate.settle(exchange, one, answered);
  clock.advance(10_000);
  await gate.settle(exchange, two, answered);
  clock.advance(300_000);
  expect(renewed).toEqual([2, 2, 1]);
});

test("a renewal that fails is logged, and the next one comes in time", async () => {
  let isAway = true;
  const { clock, log, gate, renewed, exchange } = setUp(() => {
    if (isAway) throw new Error("away");
  });
  await gate.admit(exchange, buildOperation());
  clock.advance(10_000);
  expect(log.lines).toMatchObject([{ level: "warn" }]);
  isAway = false;
  clock.advance(10_000);
  expect(renewed).toEqual([1, 1]);
  expect(log.lines).toHaveLength(1);
});
