import type { Clock } from "../kernel/clock.ts";

/** The latest use of one key or secret. */
export interface LastUse {
  readonly keyId: string;
  readonly atMs: number;
}

/** Latest uses on their way to the store, in batches, so that no request waits for a write. */
export interface LastUses {
  /** Notes a use; an earlier moment than one that is known is passed over. */
  note(keyId: string, atMs: number): void;
  /** The uses that were not reported yet, which then count as reported; for shutting down. */
  flush(): readonly LastUse[];
}

export interface LastUsesParts {
  readonly clock: Clock;
  /**
   * Gets a batch, each id once, `reportAfterMs` after the first use in it. When it throws or rejects, the batch is kept
   * and given again with the next; never two batches at a time.
   */
  readonly onUsed: (used: readonly LastUse[]) => void | Promise<void>;
  /** 5,000 unless told. */
  readonly reportAfterMs?: number;
}

/** Collects uses; nothing is noted yet. */
export function createLastUses({ clock, onUsed, reportAfterMs = 5_000 }: LastUsesParts): LastUses {
  const latest = new Map<string, number>();
  let cancel: (() => void) | undefined;
  let isReporting = false;
  const note = (keyId: string, atMs: number): void => {
    const before = latest.get(keyId);
    if (before === undefined || before < atMs) latest.set(keyId, atMs);
    if (!isReporting) cancel ??= clock.after(reportAfterMs, report);
  };
  const flush = (): readonly LastUse[] => {
    cancel?.();
    cancel = undefined;
    const batch = Array.from(latest, ([keyId, atMs]) => ({ keyId, atMs }));
    latest.clear();
    return batch;
  };
  const report = async (): Promise<void> => {
    const batch = flush();
    isReporting = true;
    try {
      await onUsed(batch);
    } catch {
      for (const { keyId, atMs } of batch) note(keyId, atMs);
    }
    isReporting = false;
    if (latest.size > 0) cancel ??= clock.after(reportAfterMs, report);
  };
  return { note, flush };
}
