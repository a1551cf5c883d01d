/** Waits for its turn, first come first served; the result gives the turn to the next. Calling that twice is harmless. */
export type TakeTurn = () => Promise<() => void>;

/** A queue in which one at a time has its turn. Who calls first is first. */
export function createTurnQueue(): TakeTurn {
  let last = Promise.resolve();
  return async () => {
    const before = last;
    const turn = Promise.withResolvers<void>();
    last = turn.promise;
    await before;
    return turn.resolve;
  };
}
