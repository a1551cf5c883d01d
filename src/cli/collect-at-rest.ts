import type { Clock } from "../kernel/clock.ts";

/** What `collectAtRest` looks at and does; of this process: `ownParts`. */
export interface AtRestParts {
  readonly clock: Clock;
  /** Milliseconds of processor time that the process has had, all its threads together. */
  readonly processorMs: () => number;
  /** Bytes that the heap takes from the system. */
  readonly heapBytes: () => number;
  /** Collects all garbage and gives its pages back to the system; stops the process for some 100 ms. */
  readonly collect: () => void;
}

/**
 * Gives back what load has taken: once the process has done next to nothing for a minute and its heap is 16 MiB larger
 * than it was after the last time, garbage is collected and its pages return to the system. V8 left to itself keeps the
 * young space of the busiest moment for as long as the process lives. The collection takes the compiled code of what is
 * not running too: the first thousands of requests after it cost some three times as much. So a pause between two bursts
 * is not rest, and a gateway with traffic never pays for it.
 */
export function collectAtRest({ clock, processorMs, heapBytes, collect }: AtRestParts): Disposable {
  let beforeMs = processorMs();
  let keptBytes = 0;
  let quietLooks = 0;
  const look = (): void => {
    quietLooks = processorMs() - beforeMs < restingMs ? quietLooks + 1 : 0;
    if (quietLooks >= restAfterLooks && heapBytes() - keptBytes > worthBytes) {
      collect();
      keptBytes = heapBytes();
    }
    beforeMs = processorMs();
    cancel = clock.after(lookEveryMs, look);
  };
  let cancel = clock.after(lookEveryMs, look);
  return { [Symbol.dispose]: () => cancel() };
}

/** This process; undefined where the command did not start it with `--expose-gc`. */
export function ownParts(clock: Clock): AtRestParts | undefined {
  const { gc } = globalThis;
  return (
    gc && {
      clock,
      processorMs: () => {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1_000;
      },
      heapBytes: () => process.memoryUsage().heapTotal,
      collect: () => gc({ type: "major", flavor: "last-resort" }),
    }
  );
}

const lookEveryMs = 5_000;
const restAfterLooks = 12;
/** Of the time between two looks; timers and probes of a gateway without requests stay below it. */
const restingMs = 100;
const worthBytes = 16 * 1024 * 1024;
