import { setTimeout as pause } from "node:timers/promises";
import type { FeedCopy, FeedTold } from "../core/gateway-feed.ts";
import type { Clock } from "../kernel/clock.ts";
import { GatewayError, toGatewayError } from "../kernel/errors.ts";
import type { Log } from "../kernel/log.ts";
import type { ControlPlaneCalls } from "./ask-control-plane.ts";
import type { Contact } from "./follow-contact.ts";

export interface FeedReaderOptions {
  readonly calls: Pick<ControlPlaneCalls, "ask">;
  readonly copy: FeedCopy;
  readonly contact: Contact;
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
  readonly staleAfterMs: number;
}

/** Reads the feed from where it stands, and keeps what it reads on the disk. */
export interface FeedReader {
  /** See `ControlClient.first`. */
  first(): Promise<readonly FeedTold[]>;
  /** What is new, handed to `take` before it is kept. Rejects when the control plane does not answer. */
  next(take: (told: FeedTold) => void): Promise<void>;
}

const firstPatienceMs = 30_000;
/** Changes in the copy after which everything is asked for anew, so that it does not grow for ever. */
const mostChanges = 1_000;
const noteHeardEachMs = 60_000;

/** A reader that has read nothing. A copy that cannot be written is logged, and costs the next restart, not the traffic. */
export function createFeedReader(options: FeedReaderOptions): FeedReader {
  const { calls, copy, contact, clock, log, pollMs } = options;
  let version: string | undefined;
  let changes = 0;
  let notedMs = 0;

  const keep = async (told: FeedTold | undefined): Promise<void> => {
    const nowMs = clock.now();
    if (told === undefined && nowMs - notedMs < noteHeardEachMs) return;
    notedMs = nowMs;
    try {
      if (told === undefined) return await copy.heard(nowMs);
      await (told.answer.type === "whole" ? copy.replace(told, nowMs) : copy.append(told, nowMs));
    } catch (error) {
      changes = mostChanges; // the copy has a hole now: all of it next time
      log.error({ err: error }, "what the control plane has said could not be kept on the disk");
    }
  };
  const ask = async (): Promise<FeedTold | undefined> => {
    const told = await calls.ask(changes >= mostChanges ? undefined : version);
    contact.heard();
    if (told === undefined) return undefined;
    version = told.answer.version;
    changes = told.answer.type === "whole" ? 0 : changes + 1;
    return told;
  };
  const fromCopy = async (): Promise<readonly FeedTold[] | undefined> => {
    const kept = await copy.load();
    if (kept === undefined) return undefined;
    version = kept.told.at(-1)?.answer.version;
    changes = kept.told.length - 1;
    contact.resume(kept.heardAtMs);
    if (contact.staleSinceMs !== undefined) throw tooOld(kept.heardAtMs, options.staleAfterMs);
    log.warn({ heardAt: new Date(kept.heardAtMs).toISOString() }, "started from the copy on the disk");
    return kept.told;
  };

  return {
    async first() {
      const untilMs = clock.monotonic() + firstPatienceMs;
      for (;;) {
        const found = await ask().catch(toGatewayError);
        if (found !== undefined && !(found instanceof GatewayError)) {
          await keep(found);
          return [found];
        }
        if (found !== undefined) contact.missed(found);
        const kept = await fromCopy();
        if (kept !== undefined) return kept;
        if (found?.code === "auth.invalid_credentials" || clock.monotonic() > untilMs) throw nothingToBeginWith(found);
        await pause(pollMs); // not by our clock, whose timers let the process end
      }
    },
    async next(take) {
      const told = await ask();
      if (told !== undefined) take(told);
      await keep(told);
    },
  };
}

function nothingToBeginWith(cause: GatewayError | undefined): GatewayError {
  const why = cause?.message ?? "It does not answer.";
  return new GatewayError(
    "config.invalid",
    `There is no copy of what the control plane has said, and it is needed for a beginning. ${why}`,
    { ...(cause?.detail !== undefined && { detail: cause.detail }), cause },
  );
}

function tooOld(heardAtMs: number, staleAfterMs: number): GatewayError {
  return new GatewayError(
    "config.invalid",
    `The control plane is away, and what is kept of it is of ${new Date(heardAtMs).toISOString()}: older than the ${Math.round(staleAfterMs / 3_600_000)} hours of gateway.staleAfterHours.`,
  );
}
