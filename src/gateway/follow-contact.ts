import type { Clock } from "../kernel/clock.ts";
import { toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";

export interface ContactOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly staleAfterMs: number;
  /** Hears when what is served becomes too old, and when it is good again. */
  onStale(stale: boolean): void;
}

/** How long the control plane has not been heard. */
export interface Contact extends Disposable {
  heard(): void;
  missed(error: unknown): void;
  /** Goes on from a moment of an earlier process. */
  resume(heardAtMs: number): void;
  /** When it was heard last, milliseconds since the epoch by the clock of now. */
  readonly heardAtMs: number;
  /** Since when it is too long; undefined before. */
  readonly staleSinceMs: number | undefined;
}

/** Age is measured on the clock that does not jump; only what an earlier process has heard is by the wall clock. */
export function followContact({ clock, log, staleAfterMs, onStale }: ContactOptions): Contact {
  let heardAt = clock.monotonic();
  let isAway = false;
  let staleSinceMs: number | undefined;
  let cancel = (): void => {};
  const longestTimerMs = 2_000_000_000;

  const watch = (): void => {
    cancel();
    const leftMs = heardAt + staleAfterMs - clock.monotonic();
    if (leftMs > 0) {
      cancel = clock.after(Math.min(leftMs, longestTimerMs), watch);
      return;
    }
    if (staleSinceMs !== undefined) return;
    staleSinceMs = clock.now();
    log.error({}, "nothing was heard of the control plane for too long: every request is refused until it answers");
    onStale(true);
  };
  return {
    get staleSinceMs() {
      return staleSinceMs;
    },
    get heardAtMs() {
      return clock.now() - (clock.monotonic() - heardAt);
    },
    heard() {
      heardAt = clock.monotonic();
      if (isAway) log.info({}, "the control plane answers again");
      isAway = false;
      if (staleSinceMs !== undefined) onStale(false);
      staleSinceMs = undefined;
      watch();
    },
    missed(error) {
      if (isAway) return;
      isAway = true;
      const { message, code, detail } = toGatewayError(error);
      const hours = Math.round(staleAfterMs / 3_600_000);
      log.warn({ code, text: message, detail, hours }, "the control plane is away; serving goes on for so many hours");
    },
    resume(heardAtMs) {
      heardAt = clock.monotonic() - Math.max(clock.now() - heardAtMs, 0);
      watch();
    },
    [Symbol.dispose]: () => cancel(),
  };
}
