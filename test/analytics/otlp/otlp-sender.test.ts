import { inspect } from "node:util";
import { expect, test } from "vitest";
import { createOtlpSender } from "../../../src/analytics/otlp/otlp-sender.ts";
import { eventually } from "../../kit/eventually.ts";
import type { Respond } from "../../kit/mock-upstream.ts";
import { json } from "../../kit/mock-upstream.ts";
import { otlpWay, startOtlpCollector } from "../../kit/otlp-collector.ts";

const sizes = { batchAfterMs: 1_000, batchItems: 3, mostWaiting: 5 };

async function startSending(first?: Respond) {
  const collector = await startOtlpCollector(first);
  const way = otlpWay(collector.url);
  const sender = createOtlpSender<number>({
    ...way,
    ...sizes,
    signal: "logs",
    encode: (items) => JSON.stringify(items),
  });
  return {
    sender,
    collector,
    clock: way.clock,
    log: way.log,
    texts: () => collector.seen.map(({ body }) => body.toString()),
    async [Symbol.asyncDispose]() {
      await sender[Symbol.asyncDispose]();
      await way.fetch[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
    },
  };
}

test("nothing is sent before the batch's time, and then in batches in order", async () => {
  await using run = await startSending();
  for (const item of [1, 2, 3, 4]) run.sender.push(item);
  run.clock.advance(999);
  expect(run.collector.seen).toHaveLength(0);
  run.clock.advance(1);
  await eventually("both batches are there", () => {
    run.clock.advance(1_000);
    return run.sender.sent === 4;
  });
  expect(run.texts()).toEqual(["[1,2,3]", "[4]"]);
});

test.each([429, 502, 503, 504])("a collector that answers %i is sent the same again", async (status) => {
  await using run = await startSending();
  run.collector.respond(json(status, {}), json(200, {}));
  run.sender.push(1);
  run.clock.advance(1_000);
  await eventually("it is sent again", () => {
    run.clock.advance(1_000);
    return run.sender.sent === 1;
  });
  expect(run.texts()).toEqual(["[1]", "[1]"]);
  expect(run.sender.dropped).toBe(0);
});

test("a collector is left alone for as long as its Retry-After says", async () => {
  await using run = await startSending();
  run.collector.respond(json(503, {}, { "retry-after": "30" }), json(200, {}));
  run.sender.push(1);
  run.clock.advance(1_000);
  await eventually("the pause is planned", () => run.collector.seen.length === 1 && run.clock.waiting === 1);
  run.clock.advance(29_999);
  expect(run.clock.waiting).toBe(1);
  run.clock.advance(1);
  await eventually("it is sent again", () => run.sender.sent === 1);
});

test("what a collector refuses is dropped and counted, and the next goes on", async () => {
  await using run = await startSending();
  run.collector.respond(json(400, {}), json(200, {}));
  for (const item of [1, 2, 3, 4]) run.sender.push(item);
  await run.sender[Symbol.asyncDispose]();
  expect([run.sender.sent, run.sender.dropped]).toEqual([1, 3]);
  expect(run.log.lines).toMatchObject([{ level: "warn", fields: { signal: "logs", status: 400 } }]);
});

test.each([
  { name: "as text", partialSuccess: { rejectedLogRecords: "1", errorMessage: "too old" } },
  { name: "as a number", partialSuccess: { rejectedSpans: 1 } },
])("of a body that is taken in part the rest counts as dropped, told $name", async ({ partialSuccess }) => {
  await using run = await startSending(json(200, { partialSuccess }));
  for (const item of [1, 2, 3]) run.sender.push(item);
  await run.sender[Symbol.asyncDispose]();
  expect([run.sender.sent, run.sender.dropped]).toEqual([2, 1]);
});

test("an answer that says nothing readable is no refusal", async () => {
  await using run = await startSending((_request, response) => void response.writeHead(200).end("<html>"));
  run.sender.push(1);
  await run.sender[Symbol.asyncDispose]();
  expect([run.sender.sent, run.sender.dropped]).toEqual([1, 0]);
});

test("what does not fit into the queue is dropped and counted", async () => {
  await using run = await startSending();
  for (let item = 0; item < 9; item += 1) run.sender.push(item);
  expect(run.sender.dropped).toBe(4);
  await run.sender[Symbol.asyncDispose]();
  expect(run.texts()).toEqual(["[0,1,2]", "[3,4]"]);
  run.sender.push(9);
  expect(run.sender.dropped).toBe(5);
});

test("a collector that never answers keeps nobody from leaving after two seconds", async () => {
  await using run = await startSending(() => undefined);
  run.sender.push(1);
  let hasLeft = false;
  void run.sender[Symbol.asyncDispose]().then(() => (hasLeft = true));
  await eventually("the collector has it", () => run.collector.seen.length === 1);
  run.clock.advance(1_999);
  expect(hasLeft).toBe(false);
  run.clock.advance(1);
  await eventually("it has left", () => hasLeft, 5_000); // its call alone would go on for ten
  expect([run.sender.sent, run.sender.dropped]).toEqual([0, 1]);
});

test("a collector that is not there is told of once, and costs what waited at the end", async () => {
  await using run = await startSending();
  await run.collector[Symbol.asyncDispose]();
  run.sender.push(1);
  run.clock.advance(1_000);
  await eventually("the failure is told", () => run.log.lines.length === 1 && run.clock.waiting === 1);
  run.clock.advance(1_000);
  await run.sender[Symbol.asyncDispose]();
  expect(run.log.lines).toHaveLength(1);
  expect([run.sender.sent, run.sender.dropped]).toEqual([0, 1]);
});

test("no failure tells a header that the collector is shown, or what was to be sent", async () => {
  await using run = await startSending(json(401, { message: "no" }));
  run.sender.push(4_711);
  run.clock.advance(1_000);
  await eventually("the refusal is told", () => run.log.lines.length === 1);
  await run.collector[Symbol.asyncDispose]();
  run.sender.push(4_712);
  run.clock.advance(1_000);
  await eventually("the failure is told", () => run.log.lines.length === 2);
  const told = inspect(run.log.lines, { depth: 20 });
  expect(told).not.toMatch(/Bearer|471[12]/);
});
