/** The only source of time. Tests drive one by hand. */
export interface Clock {
  /** Milliseconds since the Unix epoch, whole. */
  now(): number;
  /** Milliseconds of a clock that never goes back, with fractions; only differences mean anything. */
  monotonic(): number;
  /** Calls once after `delayMs`, without keeping the process alive. The result cancels it. */
  after(delayMs: number, call: () => void): () => void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
