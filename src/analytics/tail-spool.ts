import { watch } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { systemClock } from "../kernel/clock.ts";
import { GatewayError } from "../kernel/errors.ts";
import type { AnalyticsEvent } from "../pipeline/event.ts";
import { readEventLine } from "./event-line.ts";
import { listSegments } from "./spool-segments.ts";

export interface TailOptions {
  /** As the writing spool has it. */
  readonly directory: string;
  /** Goes on with what is written later, until `signal` aborts; keeps the process alive meanwhile. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/**
 * All events of a spool, oldest first, from any process. Lines that were cut by a crash are skipped; segments that
 * the spool deletes meanwhile too. Ends without an error when `signal` aborts. A disk error of the writer may show
 * an event twice to a reader who follows, never to one who reads final segments.
 *
 * Throws `resource.not_found` when there is no such directory.
 */
export async function* tailSpool({
  directory,
  follow,
  signal,
  clock = systemClock,
}: TailOptions): AsyncGenerator<AnalyticsEvent> {
  using changes = follow ? watchDirectory(directory, clock, signal) : undefined;
  let place: Place = { name: "", offset: 0 };
  do {
    for await (const line of linesFrom(directory, place)) {
      if (signal?.aborted) return;
      place = line.place;
      if (line.event !== undefined) yield line.event;
    }
    await changes?.next();
  } while (changes !== undefined && !signal?.aborted);
}

/** How far a reader is: the byte behind the last whole line of a segment. */
interface Place {
  readonly name: string;
  readonly offset: number;
}

async function segmentsFrom(directory: string, name: string): Promise<string[]> {
  try {
    return (await listSegments(directory)).filter((found) => found >= name);
  } catch (cause) {
    throw noSpool(directory, cause);
  }
}

function noSpool(directory: string, cause: unknown): GatewayError {
  return new GatewayError("resource.not_found", `There are no events in ${directory}: no gateway has run there.`, {
    cause,
  });
}

interface Line {
  readonly event: AnalyticsEvent | undefined;
  /** Behind this line. */
  readonly place: Place;
}

async function* linesFrom(directory: string, place: Place): AsyncGenerator<Line> {
  // Listed before read: what is older than the newest of this list is final.
  for (const name of await segmentsFrom(directory, place.name)) {
    yield* readSegment(directory, { name, offset: name === place.name ? place.offset : 0 });
  }
}

async function* readSegment(directory: string, place: Place): AsyncGenerator<Line> {
  const file = await open(join(directory, place.name), "r").catch(() => undefined);
  if (file === undefined) return; // deleted meanwhile
  await using _closes = file;
  let offset = place.offset;
  let held = Buffer.alloc(0);
  const chunk = Buffer.alloc(65_536);
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset + held.length);
    if (bytesRead === 0) return;
    let rest = Buffer.concat([held, chunk.subarray(0, bytesRead)]);
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      offset += end + 1;
      yield { event: readEventLine(rest.toString("utf8", 0, end)), place: { name: place.name, offset } };
      rest = rest.subarray(end + 1);
    }
    held = rest;
  }
}

const pollMs = 1_000;

interface Changes extends Disposable {
  /** Resolves at the next change, at once when there was one since the last call, and each second in any case. */
  next(): Promise<void>;
}

function watchDirectory(directory: string, clock: Clock, signal: AbortSignal | undefined): Changes {
  let changed = false;
  let wake: () => void = () => undefined;
  const notice = (): void => {
    changed = true;
    wake();
  };
  const watcher = startWatching(directory, notice);
  watcher.on("error", () => undefined); // file systems without events are polled
  signal?.addEventListener("abort", notice);
  return {
    async next() {
      if (!changed) {
        const cancel = clock.after(pollMs, notice);
        await new Promise<void>((resume) => {
          wake = resume;
        });
        cancel();
      }
      changed = false;
    },
    [Symbol.dispose]() {
      watcher.close();
      signal?.removeEventListener("abort", notice);
    },
  };
}

function startWatching(directory: string, notice: () => void): ReturnType<typeof watch> {
  try {
    return watch(directory, notice);
  } catch (cause) {
    throw noSpool(directory, cause);
  }
}
