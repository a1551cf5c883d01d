import type { Frame } from "../../pipeline/exchange.ts";

/** What came of one of several streams: its next frame, or what broke it. A stream that has ended says nothing more. */
export type MergedPiece =
  | { readonly place: number; readonly frame: Frame }
  | { readonly place: number; readonly error: unknown };

/**
 * The frames of all streams as they come, each with the place of its stream. Waits with one frame of each at most, and
 * keeps none that was taken. Whoever leaves early lets go of all streams.
 */
export async function* mergeStreams(streams: ReadonlyMap<number, AsyncIterable<Frame>>): AsyncGenerator<MergedPiece> {
  const running = new Map([...streams].map(([place, stream]) => [place, stream[Symbol.asyncIterator]()]));
  const ready: Came[] = [];
  let wake = (): void => undefined;
  const came = (piece: Came): void => {
    ready.push(piece);
    wake();
  };
  const pull = (place: number, stream: AsyncIterator<Frame>): void => {
    stream.next().then(
      (result) => came({ place, result }),
      (error: unknown) => came({ place, error }),
    );
  };
  try {
    for (const [place, stream] of running) pull(place, stream);
    while (running.size > 0) {
      // A race of what is awaited would leave something behind at a silent stream for every frame of the others.
      if (ready.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const next = ready.shift();
      const stream = next && running.get(next.place);
      if (next === undefined || stream === undefined) continue;
      if ("error" in next || next.result.done === true) running.delete(next.place);
      if ("error" in next) yield next;
      else if (next.result.done !== true) {
        yield { place: next.place, frame: next.result.value };
        pull(next.place, stream);
      }
    }
  } finally {
    for (const stream of running.values()) void stream.return?.().catch(() => undefined);
  }
}

type Came =
  | { readonly place: number; readonly result: IteratorResult<Frame> }
  | { readonly place: number; readonly error: unknown };
