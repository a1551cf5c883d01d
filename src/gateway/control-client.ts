import type { FeedTold } from "../core/gateway-feed.ts";
import type { FeedReaderOptions } from "./feed-reader.ts";
import { createFeedReader } from "./feed-reader.ts";
import type { ContactOptions } from "./follow-contact.ts";
import { followContact } from "./follow-contact.ts";

/** A gateway's end of the feed. */
export interface ControlClient extends Disposable {
  /**
   * What to begin with: everything from the control plane, else from the copy. Waits half a minute for the control plane
   * when there is no copy. Rejects with `config.invalid` when it does not answer then, when it refuses the token, and for
   * a copy that is too old.
   */
  first(): Promise<readonly FeedTold[]>;
  /** From now on asks again and again, and hands what is told to `take`. */
  follow(take: (told: FeedTold) => void): void;
  /** What was told before this moment has come here, milliseconds since the epoch. */
  readonly heardAtMs: number;
  /** Asks now: somebody has said that there is news. */
  nudge(): void;
}

export interface ControlClientOptions extends ContactOptions, Omit<FeedReaderOptions, "contact"> {}

const longestPauseMs = 5_000;

/** Asks by polling; a question that finds nothing is cheap. A pointer from elsewhere only makes it ask sooner. */
export function createControlClient(options: ControlClientOptions): ControlClient {
  const { clock, pollMs } = options;
  const contact = followContact(options);
  const reader = createFeedReader({ ...options, contact });
  let take: ((told: FeedTold) => void) | undefined;
  let cancel = (): void => {};
  let state: "resting" | "asking" | "asking, and once more" | "disposed" = "resting";
  let failures = 0;

  const takeUnlessDisposed = (told: FeedTold): void => {
    if (state !== "disposed") take?.(told);
  };
  const pauseMs = (): number =>
    state === "asking, and once more"
      ? 0
      : Math.min(pollMs * 2 ** Math.min(failures, 6), Math.max(longestPauseMs, pollMs));
  const isDisposed = (): boolean => state === "disposed";
  const tick = async (): Promise<void> => {
    if (isDisposed()) return;
    if (state !== "resting") {
      state = "asking, and once more";
      return;
    }
    state = "asking";
    cancel();
    try {
      await reader.next(takeUnlessDisposed);
      failures = 0;
    } catch (error) {
      failures += 1;
      contact.missed(error);
    }
    if (isDisposed()) return;
    cancel = clock.after(pauseMs(), () => void tick());
    state = "resting";
  };

  return {
    first: () => reader.first(),
    get heardAtMs() {
      return contact.heardAtMs;
    },
    follow(taker) {
      take = taker;
      void tick();
    },
    nudge: () => {
      if (take !== undefined) void tick();
    },
    [Symbol.dispose]() {
      state = "disposed";
      cancel();
      contact[Symbol.dispose]();
    },
  };
}
