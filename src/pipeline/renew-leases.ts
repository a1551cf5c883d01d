import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Limiter, Reservation } from "./limiter.ts";

/** Keeps places of `concurrent` charges held for as long as their operations last. */
export interface LeaseKeeper {
  /** From now on until `letGo`. Does nothing for a reservation without such charges. */
  keep(reservation: Reservation): void;
  letGo(reservation: Reservation): void;
}

/** Renews when a third of the shortest lease has passed, so that two renewals may fail. One timer serves all. */
export function createLeaseKeeper(limiter: Pick<Limiter, "renew">, clock: Clock, log: Log): LeaseKeeper {
  const leases = new Map<Reservation, number>();
  let timer: { readonly atMs: number; readonly cancel: () => void } | undefined;

  function arm(leaseMs: number): void {
    const afterMs = Math.max(Math.floor(leaseMs / 3), 1);
    const atMs = clock.monotonic() + afterMs;
    if (timer !== undefined && timer.atMs <= atMs) return;
    timer?.cancel();
    timer = { atMs, cancel: clock.after(afterMs, renewAll) };
  }

  function renewAll(): void {
    timer = undefined;
    if (leases.size === 0) return;
    arm([...leases.values()].reduce((least, leaseMs) => Math.min(least, leaseMs)));
    const failed = (error: unknown): void => log.warn({ err: error }, "places of a limit were not renewed");
    try {
      const renewed = limiter.renew([...leases.keys()]);
      if (renewed instanceof Promise) renewed.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  return {
    keep(reservation) {
      const leaseMs = shortestLease(reservation);
      if (leaseMs === undefined) return;
      leases.set(reservation, leaseMs);
      arm(leaseMs);
    },
    letGo: (reservation) => void leases.delete(reservation),
  };
}

function shortestLease({ charges }: Reservation): number | undefined {
  let shortest: number | undefined;
  for (const { rule } of charges) {
    if (rule.type === "concurrent") shortest = Math.min(rule.leaseMs, shortest ?? rule.leaseMs);
  }
  return shortest;
}
