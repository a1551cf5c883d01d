import type { ByteSink, Frame, FrameStream, PumpedFrames } from "./exchange.ts";

/** Who listens to a stream beside its reader. */
export interface FrameTap {
  /** Bytes on their way; leave them as they are. */
  bytes(bytes: Uint8Array): void;
  /** The stream has come to its own end; not called for one that broke or that nobody read to the end. */
  end(): void;
}

/** The same stream in the same forms; `tap` hears all that passes, in the same turn. */
export function tapFrames(frames: FrameStream, tap: FrameTap): FrameStream {
  const iterate = (): AsyncIterator<Frame> => {
    const iterator = frames[Symbol.asyncIterator]();
    return {
      async next() {
        const result = await iterator.next();
        if (result.done === true) tap.end();
        else tap.bytes(result.value.bytes);
        return result;
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    };
  };
  const { pumped } = frames;
  return { [Symbol.asyncIterator]: iterate, ...(pumped !== undefined && { pumped: tapPumped(pumped, tap) }) };
}

function tapPumped(pumped: PumpedFrames, tap: FrameTap): PumpedFrames {
  return {
    pump: (sink) => pumped.pump(tapSink(sink, tap)),
    pause: () => pumped.pause(),
    resume: () => pumped.resume(),
    discard: () => pumped.discard(),
  };
}

function tapSink(sink: ByteSink, tap: FrameTap): ByteSink {
  return {
    write(bytes) {
      tap.bytes(bytes);
      sink.write(bytes);
    },
    end() {
      tap.end();
      sink.end();
    },
    fail: (error) => sink.fail(error),
  };
}
