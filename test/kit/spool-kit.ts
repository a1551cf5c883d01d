import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { EventSpool, EventSpoolOptions } from "../../src/analytics/event-spool.ts";
import { openEventSpool } from "../../src/analytics/event-spool.ts";
import { tailSpool } from "../../src/analytics/tail-spool.ts";
import type { Log } from "../../src/kernel/log.ts";
import type { AttemptEvent } from "../../src/pipeline/event.ts";
import { attemptRow } from "./event-rows.ts";
import type { ManualClock } from "./manual-clock.ts";
import { manualClock } from "./manual-clock.ts";

/** A path for a spool's directory, which is not there yet; gone when the test has ended. */
export async function newDirectory(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "gatehouse-spool-"));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, "events");
}

/** An event that is told from others by its number. */
export function event(attempt: number, target = "openai"): AttemptEvent {
  return attemptRow(0, {
    ts: 1,
    exchange_id: "e",
    operation_id: "o",
    attempt,
    config_hash: "h",
    target,
    provider: "p",
  });
}

/** A log that keeps its sentences. */
export interface Logged extends Log {
  readonly lines: string[];
}

function listeningLog(): Logged {
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => {
    lines.push(message);
  };
  return { lines, debug: note, info: note, warn: note, error: note };
}

export interface OpenedSpool {
  readonly directory: string;
  readonly clock: ManualClock;
  readonly log: Logged;
  readonly spool: EventSpool;
}

/** A spool in a new directory, its clock in the test's hand. The test disposes it. */
export async function openSpool(over: Partial<EventSpoolOptions> & { clock?: ManualClock } = {}): Promise<OpenedSpool> {
  const directory = over.directory ?? (await newDirectory());
  const clock = over.clock ?? manualClock();
  const log = listeningLog();
  const spool = await openEventSpool({ directory, maxBytes: 1_048_576, log, ...over, clock });
  return { directory, clock, log, spool };
}

/** The numbers of all events in a directory, oldest first. */
export async function attempts(directory: string): Promise<number[]> {
  const found: number[] = [];
  for await (const row of tailSpool({ directory, follow: false })) {
    if (row.type === "attempt") found.push(row.attempt);
  }
  return found;
}

export function numbers(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}
