import type { AnswerKeeping, KeptAnswer } from "../../pipeline/answer-keeping.ts";
import type { Answer, Frame, FrameStream } from "../../pipeline/exchange.ts";

/** A kept answer as if its upstream gave it now: a stream of the same messages where it was one. */
export function replayAnswer(kept: KeptAnswer, keeping: Pick<AnswerKeeping, "frames">): Answer {
  const { status, headers, isStream } = kept;
  if (isStream) return { status, headers, body: { type: "stream", frames: replayed(kept, keeping) } };
  const [frame = { bytes: kept.bytes, message: () => undefined }] = keeping.frames(kept);
  return { status, headers, body: { type: "whole", frame } };
}

function replayed(kept: KeptAnswer, keeping: Pick<AnswerKeeping, "frames">): FrameStream {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<Frame> {
      yield* keeping.frames(kept);
    },
    pumped: {
      pump(sink) {
        sink.write(kept.bytes);
        sink.end();
      },
      pause: () => undefined,
      resume: () => undefined,
      discard: () => undefined,
    },
  };
}
