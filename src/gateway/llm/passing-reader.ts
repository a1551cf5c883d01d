import { GatewayError } from "../../kernel/errors.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { ChatDelta } from "../../routing/dialects/chat-answer.ts";
import type { DeltaReader, UpstreamDialect } from "../../routing/dialects/dialect.ts";
import { SseFrame } from "../sse-frame.ts";
import { llmRequest } from "./llm-request.ts";
import type { StreamFraming } from "./stream-framing.ts";
import type { StreamReader } from "./stream-reader.ts";

export interface PassingReaderOptions {
  readonly operation: Operation;
  readonly dialect: UpstreamDialect;
  readonly framing: StreamFraming;
  /** Hears of every event that is more than a piece of text. */
  readonly heard?: ((data: unknown) => void) | undefined;
}

/**
 * A stream of the client's own dialect: every byte passes, and what it tells of usage, errors and its end is noted. For
 * dialects other than OpenAI's chat completions, which have a reader of their own.
 */
export class PassingReader implements StreamReader {
  readonly #options: PassingReaderOptions;
  readonly #deltas: DeltaReader;

  constructor(options: PassingReaderOptions) {
    this.#options = options;
    this.#deltas = options.dialect.deltaReader();
  }

  get isDone(): boolean {
    return this.#deltas.isDone;
  }

  push(chunk: Uint8Array): readonly Frame[] {
    const frames: Frame[] = [];
    for (const { bytes, event } of this.#options.framing.push(chunk)) {
      if (this.#deltas.isDone) break;
      frames.push(new SseFrame(bytes));
      if (this.#isMereText(bytes)) continue;
      const parsed = event();
      this.#options.heard?.(parsed.data);
      for (const delta of this.#deltas.read(parsed)) noteDelta(this.#options.operation, delta);
    }
    return frames;
  }

  end(): readonly Frame[] {
    if (this.#deltas.end() || llmRequest(this.#options.operation).streamError) return [];
    throw brokenOff(this.#options.framing.rest());
  }

  // Nearly all events are a few words more; nothing of them has to be known but that they came.
  #isMereText(bytes: Uint8Array): boolean {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 200)).toString("latin1");
    const own = llmRequest(this.#options.operation);
    const sequence = /"sequence_number":\s*(\d+)/.exec(text)?.[1];
    if (sequence !== undefined) own.nextSequence = Number(sequence) + 1;
    if (!/^event: (?:content_block_delta|response\.[a-z_]+\.delta)\r?\n/.test(text)) return false;
    own.contentEvents += 1;
    return true;
  }
}

/** Notes what a delta tells about the operation: usage, an error, a piece of content. */
export function noteDelta(operation: Operation, delta: ChatDelta): void {
  const own = llmRequest(operation);
  if (delta.type === "usage") {
    if (own.kind !== "response") operation.usage = delta.usage; // one that is only looked at has been paid for
  } else if (delta.type === "error") own.streamError = true;
  else if (delta.type === "more") own.contentEvents += 1;
}

/** The fault of a stream that ended before its answer was whole: an SDK would take it for a whole one. */
export function brokenOff(restBytes: number): GatewayError {
  return new GatewayError("upstream.reset", "The upstream's stream broke off before it was complete.", {
    detail: `no end of the answer; ${restBytes} bytes of an unfinished event`,
  });
}
