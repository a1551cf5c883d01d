import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError } from "../../src/kernel/errors.ts";
import type { Operation } from "../../src/pipeline/exchange.ts";
import type { Outcome } from "../../src/pipeline/outcome.ts";
import { concurrencyLimit } from "../../src/policies/concurrency-limit.ts";
import { buildExchange, buildOperation, buildTools } from "../kit/exchange.ts";
import { gateOf, limitOfOne } from "../kit/limits.ts";

const endings: readonly Outcome[] = [
  { type: "failed", error: new GatewayError("client.closed", "gone") },
  { type: "denied", deny: { type: "deny", code: "guardrail.denied", message: "no" }, by: "regex" },
  { type: "failed", error: new GatewayError("upstream.reset", "reset") },
];

test.each(endings)("a place is free again when an operation ends with $type", async (outcome) => {
  const limit = limitOf({ requests: 1 });
  const first = buildOperation();
  expect(await limit.admit(first)).toBeUndefined();
  expect(await limit.admit(buildOperation())).toMatchObject({ code: "limit.concurrency", retryAfterMs: 1_000 });
  await limit.record(first, outcome);
  expect(await limit.admit(buildOperation())).toBeUndefined();
});

test("an operation that was refused frees nobody's place", async () => {
  const limit = limitOf({ requests: 1 });
  await limit.admit(buildOperation());
  const refused = buildOperation();
  await limit.admit(refused);
  await limit.record(refused);
  expect(await limit.admit(buildOperation())).toMatchObject({ code: "limit.concurrency" });
});

test("an operation that never got to this limit frees nobody's place", async () => {
  const limit = limitOf({ requests: 1 });
  await limit.admit(buildOperation());
  await limit.record(buildOperation());
  expect(await limit.admit(buildOperation())).toMatchObject({ code: "limit.concurrency" });
});

test("where only streams count, others pass", async () => {
  const limit = limitOf({ requests: 1, streamsOnly: true });
  expect(await limit.admit(buildOperation({ stream: true }))).toBeUndefined();
  expect(await limit.admit(buildOperation({ stream: false }))).toBeUndefined();
  expect(await limit.admit(buildOperation({ stream: true }))).toMatchObject({ code: "limit.concurrency" });
});

test("subjects do not share their places", async () => {
  const limit = limitOf({ requests: 1, per: "ip" });
  expect(await limit.admit(buildOperation(), "192.0.2.1")).toBeUndefined();
  expect(await limit.admit(buildOperation(), "192.0.2.2")).toBeUndefined();
});

test("never more are under way than it says, and all that it says may be", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat({ max: 9 }), { maxLength: 60 }),
      async (requests, moves) => {
        const limit = limitOf({ requests });
        const running: Operation[] = [];
        for (const move of moves) {
          const ending = move < running.length ? running.splice(move, 1)[0] : undefined;
          if (ending === undefined) {
            const operation = buildOperation();
            const refusal = await limit.admit(operation);
            expect(refusal === undefined).toBe(running.length < requests);
            if (refusal === undefined) running.push(operation);
          } else {
            await limit.record(ending);
          }
        }
      },
    ),
  );
});

test("what runs when a revision is published counts under the next one", async () => {
  const tools = buildTools();
  const before = limitOf({ requests: 1 }, tools);
  const running = buildOperation();
  await before.admit(running);
  const after = limitOf({ requests: 1 }, tools);
  expect(await after.admit(buildOperation())).toMatchObject({ code: "limit.concurrency" });
  await before.record(running);
  expect(await after.admit(buildOperation())).toBeUndefined();
});

test("a stream that lasts for days keeps its place", async () => {
  const tools = buildTools();
  const limit = limitOf({ requests: 1 }, tools);
  const stream = buildOperation({ stream: true });
  await limit.admit(stream);
  tools.clock.advance(2 * 86_400_000);
  expect(await limit.admit(buildOperation())).toMatchObject({ code: "limit.concurrency" });
  await limit.record(stream);
  expect(await limit.admit(buildOperation())).toBeUndefined();
});

function limitOf(config: object, tools = buildTools()) {
  const handlers = concurrencyLimit.compile(concurrencyLimit.config.parse(config), tools, { place: "here" });
  const limit = limitOfOne(tools, handlers, gateOf(tools));
  const exchangeOf = (clientIp = "192.0.2.1") => buildExchange({ inbound: { clientIp } });
  return {
    admit: (operation: Operation, clientIp?: string) => limit.admit(exchangeOf(clientIp), operation),
    record: (operation: Operation, outcome?: Outcome) => limit.settle(exchangeOf(), operation, outcome),
  };
}
