import type { PlaneMessage } from "../core/plane-message.ts";
import type { Clock } from "../kernel/clock.ts";
import type { ApprovalDesk } from "../pipeline/approval-desk.ts";

export interface ApprovalDeskParts extends Pick<ApprovalDesk, "ask" | "answer"> {
  readonly clock: Clock;
}

/** A desk that hears from the control plane when something was decided. */
export function createApprovalDesk({ clock, ask, answer }: ApprovalDeskParts): ApprovalDesk & {
  apply(message: PlaneMessage): void;
} {
  const waiting = new Map<string, Set<() => void>>();
  return {
    ask,
    answer,
    apply(message) {
      if (message.type !== "approval.decided") return;
      for (const wake of waiting.get(message.id) ?? []) wake();
    },
    news(id, waitMs, cancellation) {
      return new Promise((resolve, reject) => {
        const own = waiting.get(id) ?? new Set();
        const leave = (): void => {
          cancelTimer();
          cancellation.ignore(listener);
          own.delete(wake);
          if (own.size === 0) waiting.delete(id);
        };
        const wake = (): void => {
          leave();
          resolve();
        };
        const listener = {
          onCancel(reason: unknown): void {
            leave();
            reject(reason);
          },
        };
        const cancelTimer = clock.after(waitMs, wake);
        if (cancellation.isCancelled) {
          cancelTimer();
          reject(cancellation.reason);
          return;
        }
        cancellation.listen(listener);
        waiting.set(id, own.add(wake));
      });
    },
  };
}
