import type { IncomingHttpHeaders } from "node:http";
import type { Environment } from "../core/environment.ts";
import type { SubscriptionState } from "../core/subscription.ts";
import type { Cancellation } from "../kernel/cancellation.ts";
import type { ExchangeId, Id } from "../kernel/ids.ts";
import type { MaybePromise } from "../kernel/maybe-promise.ts";
import type { CacheDecision } from "./answer-keeping.ts";
import type { CredentialIndex } from "./credential-index.ts";
import type { OwnBudget } from "./define-policy.ts";
import type { AttemptRecord, PolicyDecision } from "./event.ts";
import type { TargetReport } from "./failure-class.ts";
import type { ToolDecision } from "./offered-tools.ts";
import type { RouteDecision } from "./route-decision.ts";
import type { CompiledApi, Snapshot } from "./snapshot.ts";
import type { Tracing } from "./trace-context.ts";

/** The client's request as far as its headers tell: everything `identify` may see. */
export interface InboundRequest {
  readonly method: string;
  /** The raw path that the router matched, without the query. Authorisation uses this and never a rebuilt URL. */
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** The peer of the socket, or what the nearest trusted proxy said. IPv4-mapped addresses are plain IPv4. */
  readonly clientIp: string;
  readonly protocol: "HTTP/1.1" | "HTTP/2";
}

/** Who is calling, as `identify` found. */
export interface Principal {
  readonly type: "api-key" | "token" | "anonymous";
  readonly environment: Environment;
  readonly keyId: Id<"apiKey"> | undefined;
  readonly applicationId: Id<"application"> | undefined;
  readonly planId: Id<"plan"> | undefined;
  /** How the subscription to this API stands; undefined where there is none. */
  readonly subscription?: SubscriptionState | undefined;
  /** The team of the key or client. */
  readonly teamId?: string | undefined;
  /** Of a key: what it may use up by itself, beside all other limits. Charged before those. */
  readonly budgets?: readonly OwnBudget[] | undefined;
  /** Of a key: names under which its use is counted and shown. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Which operations (models, tools) the credential may call; everything of its API when undefined. */
  readonly mayCall: ((operation: string) => boolean) | undefined;
  /** Of a token: the OAuth client that it was issued to. */
  readonly clientId?: string | undefined;
  /** Of a token: the key manager that gave it. */
  readonly keyManagerId?: string | undefined;
  /** Of a token: whom it speaks for, a user or the client itself. */
  readonly subject?: string | undefined;
  /** Of a token: tells subjects of one issuer apart, and leads back to none. */
  readonly subjectHash?: string | undefined;
  /** Of a token: the client's secret that it was got with, where the key manager tells. */
  readonly secretId?: string | undefined;
  /** Of a token; none of a key. */
  readonly scopes?: readonly string[];
  /** Of a token: all that its key manager has signed. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Of a token: names client and subject under their key manager, for limits, sessions and tasks. */
  readonly caller?: string | undefined;
}

/**
 * One thing that a client asks for, whatever the protocol: a chat completion, a tool call, `GET /orders/7`. Limits,
 * conditions and analytics rows see nothing else.
 */
export interface Operation {
  readonly id: string;
  readonly parentId: string | undefined;
  /** What is done: `chat`, `embeddings`, `models`, `tools/call`, … */
  readonly kind: string;
  /** What it is done to: the model, the tool. Globs in `on` match this. */
  readonly name: string;
  readonly stream: boolean;
  /**
   * True when the answers that come may be those of other operations, which nobody remembers (a resumed stream): what
   * `on` and `when` would say of those cannot be known, so every response guardrail applies.
   */
  readonly answersOthers?: boolean;
  /** The request's bytes as they will go upstream: the client's own unless a policy changed them. */
  body: Buffer;
  /** The parsed body, for the adapter that made this operation; parsed once. */
  readonly message: unknown;
  /** What the operation has used so far; `estimated` when the upstream did not say. */
  usage: Usage | undefined;
  /** Its body is on its way and not kept, so that it cannot be tried again. */
  isSpent?: boolean;
  /** It was done, and the upstream tells no tokens of such: what it has used, and cost, is not known. */
  isUnmetered?: boolean;
  /** What guardrails keep of it from the request to the answer, by their place. */
  guardrailMemory?: Map<string, unknown>;
  /** Milliseconds for which guardrails kept back the first text of its streamed answer; undefined where none could. */
  heldMs?: number;
  /**
   * What an earlier operation of the same caller is found to have used, beyond what that one was charged: it is charged
   * when this one is over, where use is counted, and never refused. Undefined where somebody else was told first.
   */
  laterUsage?: MaybePromise<LaterUsage | undefined>;
  /** `usage` is what `laterUsage` told: this operation itself has asked no model for anything. */
  isLater?: boolean;
  /** Tokens of the answer after which its stream is cut with the dialect's error; never when absent. */
  cutAfterTokens?: number;
}

/** What was used before and is told now, with the try that told it. */
export interface LaterUsage {
  readonly usage: Usage;
  readonly attempt: AttemptRecord;
}

/** Tokens of one operation. Those kept in a cache or written to it are among the input, reasoning is among the output. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
  readonly source: "actual" | "estimated";
  /** Tokens written to a cache, and of those the ones kept for an hour; they are dearer than plain ones. */
  readonly cacheWriteTokens?: number;
  readonly cacheWriteHourTokens?: number;
  readonly audioInputTokens?: number;
  readonly audioOutputTokens?: number;
  /** How the provider says that it has served the call: `default`, `flex`, `priority`, `batch`, … */
  readonly serviceTier?: string;
}

/** One HTTP exchange on its way through the steps. Owned by one request; nothing of it outlives `record`. */
export interface Exchange {
  readonly id: ExchangeId;
  readonly startedAtMs: number;
  readonly startedMonotonicMs: number;
  /** Cancelled when the client goes away or the deadline passes. Everything that leaves the process listens to it. */
  readonly cancellation: Cancellation;
  /** The same as a standard signal, for libraries that want one. */
  readonly signal: AbortSignal;
  readonly inbound: InboundRequest;
  readonly snapshot: Snapshot;
  readonly credentials: CredentialIndex;
  readonly api: CompiledApi;
  /** Set by `identify`, present in every later step. */
  principal: Principal | undefined;
  /** Names under which this use is counted and shown: the key's, then what claims and headers say. Set by `identify`. */
  labels: Readonly<Record<string, string>>;
  readonly operations: Operation[];
  readonly attempts: AttemptRecord[];
  readonly decisions: PolicyDecision[];
  /** What is left, as a share from 0 to 1, of the limit or budget that is nearest to its end; absent where none counts. */
  limitLeft?: number | undefined;
  /** Set by a strategy that looks into what is asked. */
  route: RouteDecision | undefined;
  /** Set by a cache of answers. */
  cache?: CacheDecision | undefined;
  /** Set by a filter of tools. */
  tools?: ToolDecision | undefined;
  /** Headers for the client that policies add (rate limits and the like); lower-case names. */
  readonly responseHeaders: Record<string, string>;
  /** Lifts the deadline: this exchange lasts for as long as both sides want it, as a stream of events does. */
  readonly keepOpen: () => void;
  /**
   * Writes the row of an operation that is over already and of which nothing is kept (a server's request on a stream of
   * days). Such an operation is no member of `operations`. Set by the runner.
   */
  recordAside: (operation: Operation) => void;
  /** How its spans are made; absent where nothing is traced. Set by the runner. */
  tracing?: Tracing | undefined;
  /** Bytes of the client's body as read. */
  requestBytes: number;
  /** Body bytes written to the client. */
  responseBytes: number;
  /** Milliseconds from start to the first body byte for the client. */
  firstByteMs: number | undefined;
}

/** One message of an answer: raw bytes, and what they mean if somebody asks. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** The parsed message, made at the first call; undefined when the frame carries none (a heartbeat). */
  message(): unknown;
}

/** The frames of a stream; read once, one after another or in the push form. */
export interface FrameStream extends AsyncIterable<Frame> {
  /** The push form, of streams that have one: for whoever only wants the bytes, as they come. */
  readonly pumped?: PumpedFrames;
}

export interface PumpedFrames {
  /** Hands on the bytes, those that wait at once and the rest as it comes; then the end, or what broke the stream off. */
  pump(sink: ByteSink): void;
  /** Asks for no more bytes until `resume`; some may still come. */
  pause(): void;
  resume(): void;
  /** Lets go of the upstream: nothing more is wanted. */
  discard(): void;
}

export interface ByteSink {
  write(bytes: Uint8Array): void;
  end(): void;
  fail(error: unknown): void;
}

/** An upstream's answer on its way back. Header names are lower-case; hop-by-hop and credential headers are gone. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What it tells of the target that gave it; nothing when absent. */
  readonly report?: TargetReport | undefined;
  readonly body:
    | { readonly type: "whole"; readonly frame: Frame }
    | {
        readonly type: "stream";
        readonly frames: FrameStream;
        /** The headers go out at once: the first frame may be hours away. Else they wait for it, and may still change. */
        readonly headersFirst?: boolean;
        /** Lets go of the upstream when nobody will read: leaving frames that were never begun would not. */
        readonly discard?: () => void;
      };
}
