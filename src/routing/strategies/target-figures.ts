import type { TryEnd } from "../../pipeline/define-strategy.ts";
import type { CompiledTarget } from "../../pipeline/target.ts";

/** How a target has done lately in this process. */
export interface TargetFigures {
  /** False after three failures in a row, until a try succeeds or half a minute has gone by. */
  readonly healthy: boolean;
  /** Tries that wait for their first byte. */
  readonly waiting: number;
  /** Milliseconds to the first byte that 95 of 100 of the last tries took no longer than; 0 before the first. */
  readonly p95Ms: number;
}

/** Watches tries at targets; at most as many targets as there are in a configuration. */
export interface TargetWatch {
  tried(target: CompiledTarget): void;
  ended(target: CompiledTarget, end: TryEnd): void;
  figuresOf(id: string): TargetFigures;
}

/** Tries of a target that are remembered. */
const ringSize = 64;
const failuresInRow = 3;
const restMs = 30_000;

interface Watched {
  waiting: number;
  failures: number;
  failedAtMs: number;
  readonly tookMs: number[];
  next: number;
  /** Sorted out of the ring when it is asked for; undefined when a try has ended since. */
  p95Ms: number | undefined;
}

/** @param now monotonic milliseconds */
export function createTargetWatch(now: () => number): TargetWatch {
  const known = new Map<string, Watched>();
  const watchedOf = (id: string): Watched => {
    const watched = known.get(id) ?? { waiting: 0, failures: 0, failedAtMs: 0, tookMs: [], next: 0, p95Ms: 0 };
    known.set(id, watched);
    return watched;
  };
  return {
    tried({ id }) {
      watchedOf(id).waiting += 1;
    },
    ended({ id }, { tookMs, health }) {
      const watched = watchedOf(id);
      watched.waiting = Math.max(watched.waiting - 1, 0);
      if (health === "unknown") return;
      watched.tookMs[watched.next] = tookMs;
      watched.next = (watched.next + 1) % ringSize;
      watched.p95Ms = undefined;
      watched.failures = health === "bad" ? watched.failures + 1 : 0;
      if (health === "bad") watched.failedAtMs = now();
    },
    figuresOf(id) {
      const watched = known.get(id);
      if (watched === undefined) return { healthy: true, waiting: 0, p95Ms: 0 };
      watched.p95Ms ??= ninetyFifth(watched.tookMs);
      const isDown = watched.failures >= failuresInRow && now() - watched.failedAtMs < restMs;
      return { healthy: !isDown, waiting: watched.waiting, p95Ms: watched.p95Ms };
    },
  };
}

function ninetyFifth(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 0;
}
