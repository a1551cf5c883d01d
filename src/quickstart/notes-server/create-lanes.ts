/** Runs a task as soon as fewer than `count` others run; the longest waiting goes first. Rejects as the task does. */
export function createLanes(count: number): <Result>(task: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running < count) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve)); // the lane is handed over, not given back
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
