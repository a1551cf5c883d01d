import type { DialectId } from "../../pipeline/define-provider.ts";
import type { Deny } from "../../pipeline/outcome.ts";
import type { ChatAnswer, ChatDelta, ChatUsage, ProviderError } from "./chat-answer.ts";
import type { ChatRequest } from "./chat-request.ts";

/** Whom a request is written for. */
export interface TargetModel {
  /** As the provider knows it. */
  readonly name: string;
  /** Tokens that its answers may have, where the provider must be told and the client does not say. */
  readonly maxOutputTokens?: number;
  /** Whether it understands OpenAI's own newest words; see `CompiledProvider`. */
  readonly newestWords?: boolean;
  /** Whether the provider keeps labels of ours beside the request. */
  readonly takesLabels?: boolean;
}

/** One server-sent event, or one message of another framing, apart from its bytes. */
export interface WireEvent {
  /** The field `event`; undefined in dialects without. */
  readonly event?: string;
  /** Parsed JSON, or a plain word such as `[DONE]`. */
  readonly data: unknown;
}

/** What an answer is written for: the request that it answers, as its client made it. */
export interface AnswerContext {
  readonly request: ChatRequest;
  /** The exchange's id: where the provider gives no id of its own, ids are made of it. */
  readonly exchangeId: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Reads the events of one stream; keeps what it must remember between two. */
export interface DeltaReader {
  /** The last event has passed: what comes behind it is nobody's. Never where only the end of the body tells. */
  readonly isDone: boolean;
  read(event: WireEvent): readonly ChatDelta[];
  /** The stream has ended: true when the answer was whole. */
  end(): boolean;
}

/** Writes one stream; keeps what it must remember between two deltas. */
export interface DeltaWriter {
  write(delta: ChatDelta): readonly WireEvent[];
  /** What stands at the end of a whole answer (`[DONE]`, `message_stop`). */
  end(): readonly WireEvent[];
}

/** A wire format of chats as clients speak it. Reading never changes what it is given. */
export interface InboundDialect {
  readonly id: DialectId;
  /** Its own names for what other dialects refuse under OpenAI's. */
  readonly ownNames: Readonly<Record<string, string>>;
  /** A client's request. Throws `request.invalid` with the member that is wrong as its `param`. */
  readRequest(body: Readonly<Record<string, unknown>>): ChatRequest;
  writeAnswer(answer: ChatAnswer, context: AnswerContext): Readonly<Record<string, unknown>>;
  deltaWriter(context: AnswerContext): DeltaWriter;
  /** A provider's refusal as this dialect's clients read it, with the status that they know it by. */
  writeError(error: ProviderError): { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
}

/** A wire format of chats as providers speak it. */
export interface UpstreamDialect {
  readonly id: DialectId;
  /**
   * The request for a provider. What this dialect has no word for is refused with the member that the client used (`at`,
   * `uncarried`): nothing that would change the answer is left out in silence.
   */
  writeRequest(request: ChatRequest, target: TargetModel): Readonly<Record<string, unknown>> | Deny;
  /** A provider's whole answer. Throws `upstream.invalid` for one that makes no sense. */
  readAnswer(body: unknown): ChatAnswer;
  deltaReader(): DeltaReader;
  /** The usage that a whole answer or one event tells; undefined when it tells none. */
  usage(message: unknown): ChatUsage | undefined;
  /** What a provider's refusal means. `body` is its parsed JSON, or its text. */
  readError(status: number, body: unknown): ProviderError;
}

/**
 * A wire format of chats, both ways. A dialect knows no other: each is written once, and every pair of an inbound and an
 * upstream one comes of it.
 */
export interface Dialect extends InboundDialect, UpstreamDialect {}
