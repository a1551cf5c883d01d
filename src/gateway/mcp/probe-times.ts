/** When targets were last probed, kept over publishes: else frequent publishing would put each probe off for ever. */
export interface ProbeTimes {
  /** The target's time, which all its probes share until the last of them has released it. */
  hold(target: string): ProbeTime;
}

export interface ProbeTime {
  /** When the last probe ended, or the first began to wait, on the monotonic clock; undefined before. */
  get(): number | undefined;
  set(atMs: number): void;
  /** Forgets the time when nobody else holds it; call it once. */
  release(): void;
}

/** Those of this process. */
export function createProbeTimes(): ProbeTimes {
  const times = new Map<string, { atMs: number | undefined; holders: number }>();
  return {
    hold(target) {
      const time = times.get(target) ?? { atMs: undefined, holders: 0 };
      times.set(target, time);
      time.holders += 1;
      return {
        get: () => time.atMs,
        set: (atMs) => {
          time.atMs = atMs;
        },
        release() {
          time.holders -= 1;
          if (time.holders === 0) times.delete(target);
        },
      };
    },
  };
}
