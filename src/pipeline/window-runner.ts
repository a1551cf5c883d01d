import { GatewayError } from "../kernel/errors.ts";
import type { StreamWindow } from "./define-guardrail.ts";
import type { Exchange, Frame, Operation } from "./exchange.ts";
import type { FirstTextHold } from "./first-text-hold.ts";
import { answerSpans, guardedCall, guards, isDeny, judgeSpans } from "./guardrail-runner.ts";
import { refusalError } from "./outcome.ts";
import type { Attachment } from "./snapshot.ts";
import type { HeldFrame, JudgeExtent, WindowChannel } from "./window-channel.ts";
import { createWindowChannel } from "./window-channel.ts";

/** The answer that is judged, and by whom; attachments that are no response guardrails are passed over. */
export interface StreamGuards {
  readonly exchange: Exchange;
  readonly operation: Operation;
  /** Those that apply to the operation, in order; each next one sees the edits of the former. */
  readonly attachments: readonly Attachment[];
  /** Told when the first text comes, and when it goes on. */
  readonly hold?: FirstTextHold | undefined;
}

/**
 * The frames of a streamed answer as the guardrails let them pass: in their order, each only when all of its text is
 * judged, unchanged ones as the same objects. A channel (an equal `place`) is held back by `window.size` units at most.
 * A match that is no longer than `window.overlap` is found however the stream is cut, and no part of it gets out;
 * an edit that spans frames puts its replacement into the first of them and is cut out of the rest.
 *
 * Throws `guardrail.denied` at a refusal (`policy.failed` for a broken guardrail): the frames before were judged and are
 * out, none after. When the upstream breaks off, what is held is judged as it stands, then the upstream's error is thrown.
 *
 * Memory is bounded: where one channel's few words would hold back twice the window of others, they are judged as they
 * stand and released. They stay the context of what follows, so a refused text still never gets out whole.
 *
 * In `monitor` mode nothing is held back or changed.
 */
export function guardStream(frames: AsyncIterable<Frame>, stream: StreamGuards): AsyncIterable<Frame> {
  let guarded = frames;
  for (const attachment of stream.attachments) {
    if (!guards(attachment, "response")) continue;
    const window = attachment.guardrail?.window;
    if (window === undefined || window.overlap >= window.size) {
      throw new GatewayError("policy.failed", "A check of the content cannot judge streams.", {
        detail: `${attachment.place} has no usable window`,
      });
    }
    const { exchange, operation } = stream;
    if (attachment.guardrail?.passesStream?.(guardedCall(exchange, operation, attachment)) === true) continue;
    const judge = createJudge(stream, attachment);
    const spansOf: SpansOf = (frame) => answerSpans(exchange, operation, attachment, frame);
    guarded =
      attachment.mode === "monitor"
        ? watchFrames(guarded, spansOf, window, judge)
        : holdFrames(guarded, stream, spansOf, window, judge);
  }
  return guarded;
}

/** Judges a channel and settles it; a promise only where the guardrail's verdict is one. */
type Judge = (channel: WindowChannel, extent: JudgeExtent) => Promise<void> | undefined;

function createJudge({ exchange, operation }: StreamGuards, attachment: Attachment): Judge {
  return (channel, extent) => {
    const question = channel.question(extent);
    const settle = (judgement: Awaited<ReturnType<typeof judgeSpans>>): undefined => {
      if (isDeny(judgement)) throw refusalError(judgement);
      channel.settle(question, judgement, extent);
      return undefined;
    };
    const judgement = judgeSpans(exchange, operation, attachment, [question], "response");
    return judgement instanceof Promise ? judgement.then(settle) : settle(judgement);
  };
}

type SpansOf = (frame: Frame) => HeldFrame["spans"];

async function* holdFrames(
  frames: AsyncIterable<Frame>,
  { exchange, operation, hold }: StreamGuards,
  spansOf: SpansOf,
  window: StreamWindow,
  judge: Judge,
): AsyncGenerator<Frame, void, undefined> {
  const { adapter } = exchange.api;
  const channels = createChannels(window);
  const queue = createQueue(window);
  let waits = hold !== undefined;
  const released = ({ frame, spans, edits, channels: texts }: HeldFrame): Frame => {
    if (waits && texts.size > 0) {
      waits = false;
      hold?.went();
    }
    return edits.length === 0 ? frame : adapter.editFrame(operation, frame, spans, edits);
  };
  const source = failuresLast(frames);

  for await (const frame of source.frames) {
    const held = createHeld(frame, spansOf(frame));
    channels.push(held);
    if (waits && held.channels.size > 0) hold?.came();
    queue.push(held);
    for (const channel of held.channels) {
      const judged = channel.isFull ? judge(channel, "course") : undefined;
      if (judged !== undefined) await judged;
    }
    for (;;) {
      for (let ready = queue.shift(); ready !== undefined; ready = queue.shift()) yield released(ready);
      if (!queue.isOver) break;
      for (const channel of queue.blockers()) await judge(channel, "all");
    }
  }
  for (const channel of channels.open()) await judge(channel, "all");
  for (let ready = queue.shift(); ready !== undefined; ready = queue.shift()) yield released(ready);
  source.rethrow();
}

async function* watchFrames(
  frames: AsyncIterable<Frame>,
  spansOf: SpansOf,
  window: StreamWindow,
  judge: Judge,
): AsyncGenerator<Frame, void, undefined> {
  const channels = createChannels(window);
  const source = failuresLast(frames);
  for await (const frame of source.frames) {
    yield frame;
    const held = createHeld(frame, spansOf(frame));
    channels.push(held);
    for (const channel of held.channels) if (channel.isFull) await judge(channel, "course");
  }
  for (const channel of channels.open()) await judge(channel, "all");
  source.rethrow();
}

function createHeld(frame: Frame, spans: HeldFrame["spans"]): HeldFrame {
  return { frame, spans, edits: [], waiting: 0, channels: new Set() };
}

function createChannels(window: StreamWindow): { push(held: HeldFrame): void; open(): readonly WindowChannel[] } {
  const byPlace = new Map<string, WindowChannel>();
  return {
    push(held) {
      for (const [index, span] of held.spans.entries()) {
        if (span.text === "") continue;
        let channel = byPlace.get(span.place);
        if (channel === undefined) {
          channel = createWindowChannel(span, window);
          byPlace.set(span.place, channel);
        }
        channel.push(held, index, span);
      }
    },
    open: () => [...byPlace.values()].filter((channel) => channel.isOpen),
  };
}

interface FrameQueue {
  /** True when more waits behind the first frame than a window's worth can explain. */
  readonly isOver: boolean;
  push(held: HeldFrame): void;
  /** The first frame when nothing of it waits. */
  shift(): HeldFrame | undefined;
  /** The channels that the first frame waits for. */
  blockers(): readonly WindowChannel[];
}

function createQueue(window: StreamWindow): FrameQueue {
  const held: HeldFrame[] = [];
  // Two windows, and room for the words at their borders; for bytes, what a frame may well need for each character.
  const most = { units: 2 * window.size + 256, bytes: 1_048_576 + 1_024 * window.size };
  let units = 0;
  let bytes = 0;
  const count = (frame: HeldFrame | undefined, sign: 1 | -1): void => {
    if (frame === undefined) return;
    units += sign * Math.max(1, textUnits(frame));
    bytes += sign * frame.frame.bytes.byteLength;
  };
  return {
    get isOver() {
      return units > most.units || bytes > most.bytes;
    },
    push(frame) {
      held.push(frame);
      if (held.length > 1) count(frame, 1);
    },
    shift() {
      if (held[0] === undefined || held[0].waiting > 0) return undefined;
      const first = held.shift();
      count(held[0], -1);
      return first;
    },
    blockers: () => [...(held[0]?.channels ?? [])].filter((channel) => channel.isOpen),
  };
}

function textUnits({ spans }: HeldFrame): number {
  return spans.reduce((sum, span) => sum + span.text.length, 0);
}

interface Source {
  readonly frames: AsyncIterable<Frame>;
  /** Throws what the source threw, if it did. */
  rethrow(): void;
}

// The source's failure must wait until the held frames are out; a failure of our own must not.
function failuresLast(frames: AsyncIterable<Frame>): Source {
  let failure: { readonly error: unknown } | undefined;
  const iterator = frames[Symbol.asyncIterator]();
  return {
    frames: {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          iterator.next().catch((error: unknown) => {
            failure = { error };
            return { done: true, value: undefined };
          }),
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }),
    },
    rethrow() {
      if (failure !== undefined) throw failure.error;
    },
  };
}
