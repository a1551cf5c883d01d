import type { IncomingMessage, ServerResponse } from "node:http";
import type { Environment } from "../core/environment.ts";
import type { ApiArtifact, SupportingArtifact } from "../core/plane-message.ts";
import type { FieldIssue, GatewayError } from "../kernel/errors.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { AnswerKeeping } from "./answer-keeping.ts";
import type { GuardrailPhase, SpanAuthor, SpanEdit, TextSpan } from "./define-guardrail.ts";
import type { Strategy } from "./define-strategy.ts";
import type { EventValue } from "./event.ts";
import type { Answer, Exchange, Frame, Operation } from "./exchange.ts";
import type { FailoverRules } from "./failover-rules.ts";
import type { HeldCall } from "./held-call.ts";
import type { ListedTools, OfferedTools } from "./offered-tools.ts";
import type { Deny, Outcome } from "./outcome.ts";
import type { PluginTools } from "./plugin.ts";
import type { PluginRegistry } from "./registry.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Shadow } from "./shadow-route.ts";
import type { CompiledTarget } from "./target.ts";

/** The raw Node pair behind the router. Over HTTP/2 it is Node's compatible pair, which has all that is used here. */
export type ClientRequest = IncomingMessage;
export type ClientResponse = ServerResponse;

/** A route below the API's context: `{ method: "POST", path: "/v1/chat/completions" }`. */
export interface AdapterRoute {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
}

/** One environment of an API, compiled: who may serve, in which order, how often to try and how long to wait. */
export interface CompiledUpstream {
  readonly targets: readonly CompiledTarget[];
  readonly strategy: Strategy;
  /** The strategy's id, for whoever asks why. */
  readonly strategyId?: string;
  /** A router that is asked beside the strategy, and leads nowhere. */
  readonly shadow?: Shadow;
  /** Tries in all, the first included, before the first byte to the client. */
  readonly maxAttempts: number;
  readonly timeouts: UpstreamTimeouts;
  readonly breaker: BreakerSettings;
  /** After which failures another target is tried; the usual ones when absent. */
  readonly failover?: FailoverRules;
  /** Tries beyond the first that all requests together may make; not bounded when absent. */
  readonly retries?: RetryBudget;
}

/** When a target is left alone; 0 failures is never. */
export interface BreakerSettings {
  readonly failures: number;
  readonly openMs: number;
  /** Milliseconds in which a target that has recovered gets back to its share; at once when absent. */
  readonly rampMs?: number;
  /** The longest rest that a target may ask for itself; five minutes when absent. */
  readonly longestRestMs?: number;
}

export interface UpstreamTimeouts {
  readonly connectMs: number;
  /** From the request's last byte to the answer's headers. */
  readonly firstByteMs: number;
  /** Between two pieces of the answer. */
  readonly idleMs: number;
}

/** What an adapter makes of an API's `spec` at publish. */
export interface CompiledProtocol {
  readonly upstreams: Readonly<Record<Environment, CompiledUpstream>>;
  /** Scopes that some operations ask for, beside those that every one needs. */
  readonly scopes?: readonly string[];
  /** Routes that this API has beside those of all of its kind. */
  readonly routes?: readonly AdapterRoute[];
  /** The adapter's own tables; only it reads them. */
  readonly own: unknown;
}

export interface ProtocolCompileInput {
  readonly artifact: ApiArtifact;
  readonly supporting: readonly SupportingArtifact[];
  /** All that is deployed beside it, itself included, as it was stored. */
  readonly apis: readonly ApiArtifact[];
  /** Nothing will be served by it: it is compiled to see whether it may be published. */
  readonly isTrial: boolean;
  readonly registry: PluginRegistry;
  readonly tools: PluginTools;
  /** Adds a fault; compilation goes on so that all are reported at once. */
  fault(issue: FieldIssue): void;
  /** Registers what must stop when the snapshot is replaced, though requests of it may run for hours yet. */
  onRetire(place: string, stop: () => void): void;
  /** Registers what must be disposed when the last request of the snapshot has ended. */
  onDispose(place: string, dispose: () => unknown): void;
}

/** How the encoding ended. `error` is set when a stream broke after the client had got its first byte. */
export interface Encoded {
  readonly status: number;
  readonly error: GatewayError | undefined;
}

/** Where an operation has to go, because of what was made there before it. */
export interface TargetBinding {
  /** Whether the target, one of `all`, knows what the operation refers to. */
  permits(target: CompiledTarget, all: readonly CompiledTarget[]): boolean;
  /** The id of the target to try first, before any balancing, as long as it is open. */
  readonly prefers: string | undefined;
}

/** A turn of a conversation that the gateway adds. */
export interface AddedTurn {
  readonly role: "system" | "user" | "assistant";
  readonly text: string;
}

/** Operations that a request holds as a list, be it of one: `join` makes the list of their answers. */
export interface Batch {
  readonly batch: readonly Operation[];
}

/** How many tokens an operation asks for, as far as its request tells. */
export interface TokenDemand {
  /** Bytes of text that the model will read. */
  readonly textBytes: number;
  /** Tokens of what it will read beside text, pictures and the like; an upper estimate. */
  readonly mediaTokens: number;
  /** The provider adds what it keeps itself, such as the turns before, a stored prompt or a file: nobody sees how much. */
  readonly isPartlyKept?: boolean;
  /** Tokens that all answers together cannot pass; undefined when nothing bounds them. */
  readonly outputCap: number | undefined;
}

/** An operation as rows tell it. */
export interface EventSubject {
  /** One of few: what a caller made up is `other`. */
  readonly kind: string;
  /** Nothing that must not be kept, such as an address with somebody's name in it. */
  readonly name: string;
  /** The upstream's answer was an error though its HTTP status did not say so. */
  readonly isUpstreamError: boolean;
  /** A W3C `traceparent` that the message itself carries; it comes before that of the header. */
  readonly traceparent?: string | undefined;
  /** The W3C `tracestate` beside it. */
  readonly tracestate?: string | undefined;
}

/** What a protocol says of its texts, so that publish can tell what could never be judged. */
export interface SpanFacts {
  /** Whose texts its messages may hold. */
  readonly authors: Readonly<Record<GuardrailPhase, readonly SpanAuthor[]>>;
  /** True where a request is a conversation, in which users and others take turns. */
  readonly hasTurns: boolean;
  /** True where a refusal can be told as the result of a call. */
  readonly hasResults: boolean;
  /** The request as the JSON that the `path` of its spans leads into. Of answers that is the frame's message. */
  document(operation: Operation): unknown;
}

/**
 * A protocol: the only part that knows its wire. The runner and the policies see operations, frames and spans.
 * One adapter serves all APIs of its kind and keeps no state of an exchange outside of it.
 */
export interface ProtocolAdapter {
  /** The API kind that it serves. */
  readonly kind: string;
  readonly routes: readonly AdapterRoute[];
  /** The header in which unmodified clients of the protocol send their key, beside the API's own; lower-case. */
  readonly keyHeader?: string;
  /**
   * True when one text of an answer may be cut over many frames of its stream (the words of a chat). Guardrails then
   * judge through their window; false means that each frame is whole, and it is judged by itself and goes on at once.
   */
  readonly cutsText: boolean;
  /** What its texts are; guardrails are attached unchecked when absent. */
  readonly texts?: SpanFacts;
  /** Undefined when it reported a fault that leaves nothing to serve. */
  compile(input: ProtocolCompileInput): CompiledProtocol | undefined;
  /** Reads the client's body within the API's limit and says what is asked. Runs after `identify` only. */
  decode(exchange: Exchange, request: ClientRequest): MaybePromise<readonly Operation[] | Batch | Deny>;
  /** The body as JSON, for whoever routes by its members; the operation's message when absent. */
  requestJson?(operation: Operation): unknown;
  /** The texts of the request, all of them, in order. */
  requestSpans(operation: Operation): readonly TextSpan[];
  /** Puts edits of those spans into `operation.body`; every other byte stays. */
  editRequest(operation: Operation, spans: readonly TextSpan[], edits: readonly SpanEdit[]): void;
  /** The texts of one frame of an answer. In a stream, equal `place` means the same channel. */
  frameSpans(operation: Operation, frame: Frame): readonly TextSpan[];
  /**
   * The operation that a frame is by itself, where it is more than a piece of its operation's answer (what a server asks
   * the client): a guardrail applies to the frame when it applies to either. Asked only when `cutsText` is false.
   */
  frameOperation?(operation: Operation, frame: Frame): Operation | undefined;
  editFrame(operation: Operation, frame: Frame, spans: readonly TextSpan[], edits: readonly SpanEdit[]): Frame;
  /**
   * What of the request would take text past guardrails of that phase in a form that none can judge, as a refusal that
   * names it; undefined when all can be judged. Absent where the protocol has no such form.
   */
  hiddenText?(operation: Operation, phase: GuardrailPhase): Deny | undefined;
  /** The frame without such forms, for answers that a guardrail judges; the same frame where it has none. */
  withoutHidden?(frame: Frame): Frame;
  /** The refusal for an operation that the API does not offer, or that this caller may not see: the same for both. */
  notOffered(operation: Operation, exchange: Exchange): Deny;
  /**
   * The refusal of an operation that this caller may not do, by rules of the protocol's own; undefined where it may.
   * Notes its decision in the exchange.
   */
  authorize?(exchange: Exchange, operation: Operation): Deny | undefined;
  /** Where the operation has to go; undefined where it may go anywhere. */
  bindingOf?(operation: Operation): TargetBinding | undefined;
  /** The operation as a call that may have to wait for a person; undefined where it is none. */
  heldCall?(exchange: Exchange, operation: Operation): HeldCall | undefined;
  /** The tools that the request offers to a model; undefined where it offers none. */
  offeredTools?(operation: Operation): OfferedTools | undefined;
  /** The tool that an operation which has been answered has called with success; undefined of everything else. */
  calledTool?(operation: Operation): string | undefined;
  /** How its answers are kept for equal and like questions; absent where none may be. */
  readonly keeping?: AnswerKeeping;
  /** A list of tools that is asked for one task; undefined of everything else. */
  listedTools?(exchange: Exchange, operation: Operation): ListedTools | undefined;
  /** An answer that no single target can give (a list of models); undefined sends the operation upstream. */
  answerLocally?(exchange: Exchange, operation: Operation): MaybePromise<Answer | Deny | undefined>;
  /** One try, until the exchange is cancelled. Throws `GatewayError("upstream.…")` when no usable answer came. */
  call(exchange: Exchange, operation: Operation, target: CompiledTarget): Promise<Answer>;
  /**
   * Writes the outcome to the client in its dialect; resolves to what was sent when the last byte is handed over.
   * A stream that breaks after the first byte ends with the dialect's error frame, and the error is in the result.
   */
  encode(exchange: Exchange, outcome: Outcome, response: ClientResponse): MaybePromise<Encoded>;
  /**
   * The one answer to several operations of an exchange, from their outcomes in the same order. An outcome that changes
   * later (a stream that breaks) is put in its place. Needed where `decode` gives a batch.
   */
  join?(exchange: Exchange, outcomes: Outcome[]): Outcome;
  /**
   * Puts turns into the conversation that the operation is, before all others or behind them; every other byte stays.
   * Nothing where the operation is none. Absent where the protocol has no conversations.
   */
  addTurns?(operation: Operation, turns: readonly AddedTurn[], where: "first" | "last"): void;
  /** What the operation asks of a model; undefined where it asks none. Absent where the protocol has no tokens. */
  tokenDemand?(exchange: Exchange, operation: Operation): TokenDemand | undefined;
  /** How rows call the operation and its end, where that is not by its own kind and name. */
  eventSubject?(operation: Operation): EventSubject;
  /**
   * Columns of its own for the row of an operation, by the names of the field; none when absent. Without an operation
   * for the row of a request that was refused before it was understood.
   */
  eventFields?(
    exchange: Exchange,
    operation: Operation | undefined,
    outcome: Outcome,
  ): Readonly<Record<string, EventValue>>;
  /** Writes an error for a request that has no exchange: unknown path below the context, wrong method. */
  encodeDeny(deny: Deny, requestId: string, response: ClientResponse, headers: Readonly<Record<string, string>>): void;
}
