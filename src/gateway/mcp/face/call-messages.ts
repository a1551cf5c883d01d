import type { Clock } from "../../../kernel/clock.ts";
import type { CallItem, FaceCall } from "./face-call.ts";

const heartbeatMs = 25_000;
const patienceMs = 10_000;

/** The next item of a call, or "silence" when none came for a while. */
export async function nextItem(
  pending: Promise<CallItem | undefined>,
  clock: Clock,
  withinMs: number,
): Promise<CallItem | undefined | "silence"> {
  return new Promise((resolve, reject) => {
    const stop = clock.after(withinMs, () => resolve("silence"));
    pending.then(
      (item) => {
        stop();
        resolve(item);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}

/**
 * How a call begins to be answered: with the reply itself, or with something before it, or with silence for so long that
 * the client's connection must be shown to be alive. `rest` are all items, the first included; "silence" among them means
 * a sign of life.
 */
export async function beginAnswer(
  call: FaceCall,
  clock: Clock,
): Promise<{ readonly first: CallItem | undefined | "silence"; readonly rest: AsyncGenerator<CallItem | "silence"> }> {
  const pending = call.items.take();
  const first = await nextItem(pending, clock, patienceMs);
  return { first, rest: itemsFrom(call, first, pending, clock) };
}

async function* itemsFrom(
  call: FaceCall,
  first: CallItem | undefined | "silence",
  pending: Promise<CallItem | undefined>,
  clock: Clock,
): AsyncGenerator<CallItem | "silence"> {
  let waiting: Promise<CallItem | undefined> | undefined = first === "silence" ? pending : undefined;
  let item = first;
  for (;;) {
    if (item === undefined) return;
    yield item;
    if (item !== "silence" && item.type === "reply") return;
    waiting ??= call.items.take();
    item = await nextItem(waiting, clock, heartbeatMs);
    if (item !== "silence") waiting = undefined;
  }
}
