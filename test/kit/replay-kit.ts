import { onTestFinished } from "vitest";
import type { EventSpool } from "../../src/analytics/event-spool.ts";
import { openSnapshotOutbox } from "../../src/analytics/snapshot-outbox.ts";
import type { SpoolReplay, SpoolReplayOptions } from "../../src/analytics/spool-replay.ts";
import { startSpoolReplay } from "../../src/analytics/spool-replay.ts";
import { attemptRow, exchangeRow, uuidOf } from "./event-rows.ts";
import type { FaultyEventStore } from "./faulty-event-store.ts";
import { faultyEventStore } from "./faulty-event-store.ts";
import type { OpenedSpool } from "./spool-kit.ts";
import { numbers, openSpool } from "./spool-kit.ts";

/** A spool, a store that can fail, and replays from the one to the other. */
export interface OpenedReplay extends OpenedSpool {
  readonly store: FaultyEventStore;
  start(over?: Partial<SpoolReplayOptions>): Promise<SpoolReplay>;
}

/** Opens both in a folder of their own; the spool is closed when the test ends. */
export async function openReplay(over: Parameters<typeof openSpool>[0] = {}): Promise<OpenedReplay> {
  const opened = await openSpool(over);
  onTestFinished(() => opened.spool[Symbol.asyncDispose]());
  const store = faultyEventStore();
  const snapshots = await openSnapshotOutbox(`${opened.directory}-snapshots`);
  const { spool, directory, clock, log } = opened;
  const checkpointPath = `${directory}-checkpoint`;
  return {
    ...opened,
    store,
    start: (options) =>
      startSpoolReplay({ spool, directory, checkpointPath, store, snapshots, clock, log, ...options }),
  };
}

/** Records `count` exchanges with a try each, and writes them. */
export async function record(spool: EventSpool, count: number, from = 0): Promise<void> {
  for (const number of numbers(count, from)) {
    spool.record(exchangeRow(number));
    spool.record(attemptRow(number));
  }
  await spool.flush();
}

/** The keys of the first `count` in a store. */
export function keysOf(count: number): string[] {
  return numbers(count).flatMap((number) => [
    `exchanges/${uuidOf(number)}/${uuidOf(number)}`,
    `attempts/${uuidOf(number)}/1`,
  ]);
}
