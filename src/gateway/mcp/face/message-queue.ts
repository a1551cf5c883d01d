import type { MaybePromise } from "../../../kernel/maybe-promise.ts";

/** Messages from whoever makes them to whoever writes them, in order; the maker waits while the writer is behind. */
export interface MessageQueue<Item> {
  /** Undefined while there is room. Items after the end are dropped. */
  put(item: Item): MaybePromise<void>;
  /** No more come: the taker gets what is left, and then undefined. */
  end(): void;
  /** The taker gets what is left, and then this error. */
  fail(error: unknown): void;
  /** The next item, or undefined at the end. One taker at a time. */
  take(): Promise<Item | undefined>;
  /** What is there by now, without waiting. */
  takeAll(): Item[];
}

const roomFor = 64;

/** A queue for one call. */
export function createMessageQueue<Item>(): MessageQueue<Item> {
  const items: Item[] = [];
  let over: { readonly error: unknown } | undefined;
  let taker: { resolve(item: Item | undefined): void; reject(error: unknown): void } | undefined;
  let waiting: (() => void)[] = [];

  const wake = (): void => {
    const makers = waiting;
    waiting = [];
    for (const maker of makers) maker();
  };
  const close = (error: unknown): void => {
    if (over !== undefined) return;
    over = { error };
    wake();
    const waits = taker;
    taker = undefined;
    if (waits === undefined) return;
    if (error === undefined) waits.resolve(undefined);
    else waits.reject(error);
  };
  return {
    put(item) {
      if (over !== undefined) return undefined;
      if (taker !== undefined) {
        const { resolve } = taker;
        taker = undefined;
        resolve(item);
        return undefined;
      }
      items.push(item);
      if (items.length < roomFor) return undefined;
      return new Promise<void>((resolve) => void waiting.push(resolve));
    },
    end: () => close(undefined),
    fail: (error) => close(error),
    take() {
      const item = items.shift();
      if (items.length < roomFor) wake();
      if (item !== undefined) return Promise.resolve(item);
      if (over !== undefined) return over.error === undefined ? Promise.resolve(undefined) : Promise.reject(over.error);
      return new Promise((resolve, reject) => {
        taker = { resolve, reject };
      });
    },
    takeAll() {
      const all = items.splice(0);
      wake();
      return all;
    },
  };
}
