import { toGatewayError } from "../kernel/errors.ts";
import { sweepApprovals } from "./approvals.ts";
import type { CoreContext } from "./core-context.ts";
import { takeReport } from "./distribution.ts";
import { expireClients } from "./expire-clients.ts";
import { expiringCredentials } from "./expiring-credentials.ts";

/** Not while the process starts. */
const firstSweepMs = 5_000;
/** The state of log-ins that nobody has gone on with lives for minutes, and anybody can make it. */
const sweepEveryMs = 60_000;
const sweepsPerHour = 60;
const sweepsPerDay = 1_440;

/** Rows that one transaction deletes: short enough that no other writer waits for long. */
const slice = 500;

/**
 * Keeps the identity tables small while the process runs, and warns of keys and secrets that end soon: after the start, then
 * daily. Disposing notes the last uses of client secrets.
 */
export function startIdentityUpkeep(context: CoreContext): AsyncDisposable {
  let sweeps = 0;
  let cancel: (() => void) | undefined;
  let running: Promise<void> = Promise.resolve();
  const sweep = async (): Promise<void> => {
    try {
      const sweep = sweeps;
      sweeps += 1;
      if (sweep % sweepsPerDay === 0) await warnOfExpiring(context);
      await sweepIdentity(context);
      if (sweep % sweepsPerHour === 0) {
        await expireClients(context);
        await sweepApprovals(context, slice);
      }
    } catch (error) {
      context.log.warn({ err: error, detail: toGatewayError(error).detail }, "expired OAuth state was not swept");
    }
    if (cancel !== undefined) cancel = context.clock.after(sweepEveryMs, start);
  };
  const start = (): void => {
    running = sweep();
  };
  cancel = context.clock.after(firstSweepMs, start);
  return {
    async [Symbol.asyncDispose]() {
      cancel?.();
      cancel = undefined;
      await running;
      const used = context.secretUses?.flush() ?? [];
      // The last chance: what cannot be noted now is lost, and closing goes on.
      if (used.length > 0) await takeReport(context, { type: "credentials.used", used }).catch(() => {});
    },
  };
}

/** Deletes OAuth state and revocations that have expired, in small transactions. */
export async function sweepIdentity(context: CoreContext): Promise<void> {
  const nowMs = context.clock.now();
  for (const table of ["oauthState", "revocations"] as const) {
    let deleted: number;
    do {
      deleted = await context.catalog.transaction((transaction) => transaction[table].deleteExpired(nowMs, slice));
    } while (deleted >= slice);
  }
}

async function warnOfExpiring(context: CoreContext): Promise<void> {
  const soon = await expiringCredentials(context);
  if (soon.length === 0) return;
  const names = soon.slice(0, 10).map(({ kind, name, expiresAtMs }) => {
    return `${kind}/${name} at ${new Date(expiresAtMs).toISOString()}`;
  });
  context.log.warn({ count: soon.length, soonest: names }, "keys and client secrets expire soon; rotate them");
}
