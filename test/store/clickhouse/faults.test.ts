import { expect, test } from "vitest";
import { z } from "zod";
import type { EventSpool } from "../../../src/analytics/event-spool.ts";
import type { SpoolReplay } from "../../../src/analytics/spool-replay.ts";
import { createClickHouseSession } from "../../../src/store/clickhouse/clickhouse-session.ts";
import { createEventStore } from "../../../src/store/clickhouse/create-event-store.ts";
import { singleNode } from "../../../src/store/clickhouse/migrations/clickhouse-migration.ts";
import { askEngine, describeWithEngine, startTestEngine } from "../../kit/embedded-clickhouse.ts";
import { eventually } from "../../kit/eventually.ts";
import type { FaultyProxy, ProxyFault } from "../../kit/faulty-proxy.ts";
import { startFaultyProxy } from "../../kit/faulty-proxy.ts";
import { openReplay, record } from "../../kit/replay-kit.ts";

const faults: readonly ProxyFault[] = ["lose", "die", "half", "hang", "refuse", "pass"];
/** Each fault behind each, itself included, and good rounds between them: the shortest order that has all pairs. */
const schedule = faults.flatMap((first, place) => [
  first,
  ...faults.slice(place + 1).flatMap((second) => [first, second]),
]);
const rowsARound = 20;

/** Carries what is there over a path that is broken so; a round that hangs is let go when it does. */
async function carry(replay: SpoolReplay, proxy: FaultyProxy, fault: ProxyFault): Promise<void> {
  await proxy.set(fault);
  let isOver = false;
  const carried = replay.catchUp().finally(() => {
    isOver = true;
  });
  const letGo = (): boolean => {
    proxy.release();
    return isOver;
  };
  if (fault === "hang") await eventually("the round is over", letGo, 60_000);
  await carried;
}

describeWithEngine("an HTTP path to the store that dies, hangs, refuses and loses answers", () => {
  test("each row arrives once, whatever came behind what", async () => {
    await using engine = startTestEngine();
    const endpoint = await engine.find();
    await using proxy = await startFaultyProxy(endpoint.url);
    const broken = { ...endpoint, url: proxy.url };
    await using session = createClickHouseSession({ find: async () => broken, dialect: singleNode });
    const { spool, start, clock } = await openReplay();
    await using replay = await start({ store: createEventStore(session), blockBytes: 8_192 });
    await session.use(async () => undefined); // the schema, whose steps are no part of this
    let recorded = 0;
    for (const [round, fault] of schedule.entries()) {
      await record(spool, rowsARound, recorded);
      recorded += rowsARound;
      clock.advance(round % 7 === 3 ? 86_400_000 : 1); // the machine's clock jumps as well
      await carry(replay, proxy, fault);
    }
    await carry(replay, proxy, "pass");
    expect(replay.state).toMatchObject({ backlogBytes: 0, rejected: 0, lastError: undefined });
    for (const fault of ["lose", "die", "half", "hang"] as const) expect(proxy.done.get(fault)).toBeGreaterThan(2);
    expect(await counted(engine.session, "exchanges", "operation_id")).toEqual({ rows: recorded, different: recorded });
    expect(await counted(engine.session, "attempts", "attempt")).toEqual({ rows: recorded, different: recorded });
  }, 240_000);

  test("what the spool's bound cannot hold meanwhile is counted, and the rest arrives once", async () => {
    await using engine = startTestEngine();
    const endpoint = await engine.find();
    await using proxy = await startFaultyProxy(endpoint.url);
    const broken = { ...endpoint, url: proxy.url };
    await using session = createClickHouseSession({ find: async () => broken, dialect: singleNode });
    const { spool, start } = await openReplay({ maxBytes: 65_536 });
    await using replay = await start({ store: createEventStore(session) });
    await session.use(async () => undefined);
    await proxy.set("refuse");
    const recorded = await recordMore(spool, replay);
    expect(spool.dropped).toBeGreaterThan(0);
    await carry(replay, proxy, "pass");
    const exchanges = await counted(engine.session, "exchanges", "operation_id");
    const attempts = await counted(engine.session, "attempts", "attempt");
    expect([exchanges.rows, attempts.rows]).toEqual([exchanges.different, attempts.different]);
    expect(exchanges.rows + attempts.rows + spool.dropped).toBe(2 * recorded);
  }, 120_000);
});

/** Records until some are dropped, with tries in between that fail; answers how many operations. */
async function recordMore(spool: EventSpool, replay: SpoolReplay): Promise<number> {
  let recorded = 0;
  for (; recorded < 600; recorded += 50) {
    await record(spool, 50, recorded);
    await replay.catchUp();
  }
  return recorded;
}

const countSchema = z.object({ rows: z.int(), different: z.int() });

async function counted(session: Parameters<typeof askEngine>[0], table: string, key: string) {
  const row = await askEngine(
    session,
    `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(exchange_id, ${key})) AS different FROM gatehouse.${table}`,
  );
  return countSchema.parse(row);
}
