import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { ChatDelta } from "../../routing/dialects/chat-answer.ts";
import type {
  AnswerContext,
  DeltaReader,
  DeltaWriter,
  InboundDialect,
  UpstreamDialect,
  WireEvent,
} from "../../routing/dialects/dialect.ts";
import { SseFrame } from "../sse-frame.ts";
import { llmRequest } from "./llm-request.ts";
import { brokenOff, noteDelta } from "./passing-reader.ts";
import type { StreamFraming } from "./stream-framing.ts";
import type { StreamReader } from "./stream-reader.ts";
import { brokenAnswer } from "./translate-call.ts";

export interface TranslatingReaderOptions {
  readonly operation: Operation;
  readonly upstream: UpstreamDialect;
  readonly inbound: InboundDialect;
  readonly framing: StreamFraming;
  readonly context: AnswerContext;
  /** The model that was asked for, where the upstream's events do not say. */
  readonly model: string;
  /** Somebody judges the events: then each is a frame of its own. Else a frame may hold several. */
  readonly isJudged: boolean;
}

/** A stream of another dialect than the client's: each event becomes those that say the same. */
export class TranslatingReader implements StreamReader {
  readonly #options: TranslatingReaderOptions;
  readonly #reader: DeltaReader;
  readonly #writer: DeltaWriter;
  #isEnded = false;

  constructor(options: TranslatingReaderOptions) {
    this.#options = options;
    this.#reader = options.upstream.deltaReader();
    this.#writer = options.inbound.deltaWriter(options.context);
  }

  get isDone(): boolean {
    return this.#isEnded;
  }

  push(chunk: Uint8Array): readonly Frame[] {
    const events: WireEvent[] = [];
    for (const framed of this.#options.framing.push(chunk)) {
      if (this.#isEnded) break;
      for (const delta of this.#reader.read(framed.event())) events.push(...this.#write(delta));
      if (this.#reader.isDone) events.push(...this.#end());
    }
    return this.#frames(events);
  }

  end(): readonly Frame[] {
    if (this.#isEnded) return [];
    if (!this.#reader.end() && !llmRequest(this.#options.operation).streamError) {
      throw brokenOff(this.#options.framing.rest());
    }
    return this.#frames(this.#end());
  }

  #write(told: ChatDelta): readonly WireEvent[] {
    const delta = told.type === "finish" && told.reason === "error" ? broken : told;
    noteDelta(this.#options.operation, delta);
    const isNameless = delta.type === "start" && delta.model === "";
    return this.#writer.write(isNameless ? { ...delta, model: this.#options.model } : delta);
  }

  #end(): readonly WireEvent[] {
    this.#isEnded = true;
    return this.#writer.end();
  }

  #frames(events: readonly WireEvent[]): readonly Frame[] {
    if (events.length === 0) return [];
    llmRequest(this.#options.operation).nextSequence += events.length;
    const written = events.map(textOf);
    return this.#options.isJudged
      ? written.map((text) => new SseFrame(Buffer.from(text)))
      : [new SseFrame(Buffer.from(written.join("")))];
  }
}

const broken: ChatDelta = { type: "error", error: { kind: "server", status: undefined, message: brokenAnswer } };

function textOf({ event, data }: WireEvent): string {
  const json = typeof data === "string" ? data : JSON.stringify(data);
  return event === undefined ? `data: ${json}\n\n` : `event: ${event}\ndata: ${json}\n\n`;
}
