import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { EventSpool } from "../../../src/analytics/event-spool.ts";
import { createTextRedactor } from "../../../src/guardrails/redact-text.ts";
import { createExchangeCaptures } from "../../../src/pipeline/capture-exchanges.ts";
import type { CompiledCapture } from "../../../src/pipeline/compile-capture.ts";
import type { Exchange } from "../../../src/pipeline/exchange.ts";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { createCaptureReader } from "../../../src/store/clickhouse/questions/create-capture-reader.ts";
import { askEngine, describeWithEngine, silentLog, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { uuidOf } from "../../kit/event-rows.ts";
import { buildExchange, buildOperation } from "../../kit/exchange.ts";
import type { ProxyFault } from "../../kit/faulty-proxy.ts";
import { startFaultyProxy } from "../../kit/faulty-proxy.ts";
import { openReplay, record } from "../../kit/replay-kit.ts";
import { numbers } from "../../kit/spool-kit.ts";
import { requestBody, textFrame } from "../../kit/text-adapter.ts";

const person = "ada.lovelace@example.org";
const card = "4111 1111 1111 1111";
const nowMs = Date.now();
const capture: CompiledCapture = {
  request: true,
  response: true,
  sample: 1,
  textBytes: 4_000,
  days: 7,
  redact: createTextRedactor([]),
};

/** Exchanges with texts, as the gateway keeps them: redacted, into the spool. */
async function keepTexts(spool: EventSpool, count: number, from = 0): Promise<void> {
  for (const number of numbers(count, from)) {
    const captures = createExchangeCaptures({ sink: spool.captures, log: silentLog });
    const id = uuidOf(number) as Exchange["id"]; // an id like any other
    const exchange: Exchange = { ...buildExchange({ api: { capture } }), id, startedAtMs: nowMs };
    const operation = buildOperation({ id, body: requestBody(["q", `Question ${number} of ${person}`]) });
    exchange.operations.push(operation);
    const body = { type: "whole", frame: textFrame(["text", `Paid by ${card}`]) } as const;
    await captures.listen(exchange, operation, { type: "answer", answer: { status: 200, headers: {}, body } });
    captures.finish(exchange);
    await captures[Symbol.asyncDispose]();
  }
  await spool.flush();
}

async function onDisk(directory: string): Promise<string> {
  const files = (await readdir(directory)).toSorted();
  return (await Promise.all(files.map((name) => readFile(join(directory, name), "utf8")))).join("");
}

async function openStore() {
  await using opened = new AsyncDisposableStack();
  const engine = opened.use(startTestEngine());
  const endpoint = await engine.find();
  const proxy = opened.use(await startFaultyProxy(endpoint.url));
  const broken = { ...endpoint, url: proxy.url };
  const session = opened.use(createClickHouseSession({ find: async () => broken, dialect: singleNode }));
  await session.use(async () => undefined); // the schema, whose steps are no part of this
  const closing = opened.move();
  return { engine, proxy, store: createEventStore(session), [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

const counted = ({ session }: ReturnType<typeof startTestEngine>, table: string) =>
  askEngine(
    session,
    `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(exchange_id)) AS different FROM gatehouse.${table}`,
  );

describeWithEngine("texts that are captured while the store is away", () => {
  test("wait on disk without what is personal, and are there once, over restarts and answers that are lost", async () => {
    await using opened = await openStore();
    const { engine, proxy, store } = opened;
    const first = await openReplay();
    const waiting = await first.start({ store });
    await proxy.set("refuse");
    await keepTexts(first.spool, 40);
    await record(first.spool, 40);
    await waiting.catchUp();
    expect(waiting.state.lastError).toBeDefined();
    const lines = await onDisk(first.directory);
    for (const piece of [person, "ada.lovelace", card, "4111"]) expect(lines).not.toContain(piece);
    expect(lines.match(/Question \d+ of \[email\]/g)).toHaveLength(40);
    expect(lines.match(/Paid by \[credit-card\]/g)).toHaveLength(40);
    await waiting[Symbol.asyncDispose](); // the gateway is stopped, and comes again
    await first.spool[Symbol.asyncDispose]();

    const { directory, clock } = first;
    const second = await openReplay({ directory, clock });
    await using replay = await second.start({ store });
    for (const fault of ["refuse", "lose", "die", "half", "pass"] satisfies ProxyFault[]) {
      await proxy.set(fault);
      await replay.catchUp();
    }
    await keepTexts(second.spool, 10, 40);
    await replay.catchUp();
    expect(replay.state).toMatchObject({ backlogBytes: 0, rejected: 0, lastError: undefined });
    expect(await counted(engine, "captures")).toEqual({ rows: 50, different: 50 });
    expect(await counted(engine, "exchanges")).toEqual({ rows: 40, different: 40 });
    const reader = createCaptureReader(engine.session);
    for (const number of [0, 39, 40, 49]) {
      const found = await reader.find(uuidOf(number), undefined);
      expect(found?.operations).toMatchObject([
        {
          request: [{ text: `Question ${number} of [email]` }],
          response: [{ text: "Paid by [credit-card]" }],
          redactions: 2,
        },
      ]);
    }
    expect([first.spool.dropped, second.spool.dropped]).toEqual([0, 0]);
  }, 240_000);

  test("are counted where the spool has no room for them any more, and the others are there once", async () => {
    await using opened = await openStore();
    const { engine, proxy, store } = opened;
    const { spool, start } = await openReplay({ maxBytes: 65_536 });
    await using replay = await start({ store });
    await proxy.set("refuse");
    let kept = 0;
    for (; spool.dropped === 0 && kept < 2_000; kept += 50) await keepTexts(spool, 50, kept);
    expect(spool.dropped).toBeGreaterThan(0);
    await proxy.set("pass");
    await replay.catchUp();
    const { rows, different } = await counted(engine, "captures");
    expect(rows).toBe(different);
    expect(Number(rows) + spool.dropped).toBe(kept);
  }, 240_000);
});
