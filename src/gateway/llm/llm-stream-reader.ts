import { GatewayError } from "../../kernel/errors.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import type { SseSplitter } from "../../kernel/sse.ts";
import { createSseSplitter } from "../../kernel/sse.ts";
import type { CompiledProvider } from "../../pipeline/define-provider.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import { SseFrame, withData } from "../sse-frame.ts";
import { llmRequest } from "./llm-request.ts";
import type { StreamReader } from "./stream-reader.ts";

export interface LlmReaderOptions {
  readonly operation: Operation;
  readonly provider: CompiledProvider;
  /** The gateway asked for usage on its own account: the client must not see it. */
  readonly stripUsage: boolean;
  readonly maxEventBytes: number;
  /** Somebody judges the events: then each is a frame of its own. Else a frame may hold several. */
  readonly isJudged: boolean;
}

/**
 * Reads the events of a chat stream: which bytes may go on, what they say of usage, and whether the answer is complete.
 * Every byte stands but for the usage that the client did not ask for. The stream ends after `[DONE]`, or at the end of
 * the body when a finish reason or an error was seen; a body that ends earlier is `upstream.reset`, for an SDK would take
 * it for a whole answer.
 */
export class LlmStreamReader implements StreamReader {
  readonly #options: LlmReaderOptions;
  readonly #splitter: SseSplitter;
  readonly #finished = new Set<unknown>();
  #isDone = false;
  /** Counted only where the stream may be cut. */
  #answerTokens = 0;

  constructor(options: LlmReaderOptions) {
    this.#options = options;
    this.#splitter = createSseSplitter({ maxEventBytes: options.maxEventBytes });
  }

  /** `[DONE]` has passed: what comes behind it is nobody's. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The frames that these bytes complete. Throws `upstream.too_large` at an event beyond the limit. */
  push(chunk: Uint8Array): readonly Frame[] {
    this.#refuseTooLong(chunk);
    if (!this.#options.isJudged && this.#splitter.isBetween && this.#isPlain(chunk)) return [new SseFrame(chunk)];
    const frames: Frame[] = [];
    for (const bytes of this.#splitter.push(chunk)) {
      const event = readEvent(bytes, this.#options);
      if (event.frame !== undefined) frames.push(event.frame);
      if (event.finished) noteFinished(event.frame?.message(), this.#finished);
      if (!event.done) continue;
      this.#isDone = true;
      break;
    }
    return frames;
  }

  /** The body has ended: its last frame, if one stood unfinished. Throws `upstream.reset` when the answer is not whole. */
  end(): readonly Frame[] {
    const rest = this.#splitter.rest();
    if (rest.length > 0 && isDone(Buffer.from(rest).toString("latin1"))) {
      return [new SseFrame(Buffer.concat([rest, Buffer.from("\n\n")]))];
    }
    const own = llmRequest(this.#options.operation);
    if (this.#finished.size >= choicesAsked(own.json["n"]) || own.streamError) return [];
    throw new GatewayError("upstream.reset", "The upstream's stream broke off before it was complete.", {
      detail: `no finish reason and no [DONE]; ${rest.length} bytes of an unfinished event`,
    });
  }

  // Before the bytes go on: what lies beyond the reservation is not sent.
  #refuseTooLong(chunk: Uint8Array): void {
    const { cutAfterTokens } = this.#options.operation;
    if (cutAfterTokens === undefined) return;
    this.#answerTokens += answerTokensIn(chunk);
    if (this.#answerTokens <= cutAfterTokens) return;
    throw new GatewayError("limit.budget", "The answer was longer than what the caller's limits had room for.", {
      detail: `cut after ${cutAfterTokens} tokens`,
    });
  }

  // Whole events, none of which has anything to act on: so are nearly all, and they need no taking apart.
  #isPlain(chunk: Uint8Array): boolean {
    if (chunk.length > this.#options.maxEventBytes) return false;
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    if (!text.endsWith("\n\n") || text.includes("\r")) return false;
    if (text.includes('"usage"') || text.includes('"error"') || text.includes("[DONE]")) return false;
    if (/"finish_reason"\s*:\s*"/.test(text)) return false;
    llmRequest(this.#options.operation).contentEvents += countOf('"delta"', text);
    return true;
  }
}

/**
 * Tokens of the texts in a piece of a stream: a quarter of their characters, and one at least for each, which is what
 * providers send that stream token by token.
 */
function answerTokensIn(chunk: Uint8Array): number {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
  let tokens = 0;
  for (const [, value = ""] of text.matchAll(
    /"(?:content|reasoning|reasoning_content|arguments|refusal)"\s*:\s*"((?:[^"\\]|\\.)*)/g,
  )) {
    if (value !== "") tokens += Math.ceil(value.length / 4);
  }
  return tokens;
}

function countOf(word: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) count += 1;
  return count;
}

interface ReadEvent {
  readonly frame: Frame | undefined;
  readonly done: boolean;
  readonly finished: boolean;
}

// Looks at the text of an event, not at its parsed form: most chunks carry three words of text and nothing to act on.
function readEvent(bytes: Uint8Array, options: LlmReaderOptions): ReadEvent {
  const own = llmRequest(options.operation);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (isDone(text)) return { frame: new SseFrame(bytes), done: true, finished: true };
  const frame = new SseFrame(bytes);
  const finished = /"finish_reason"\s*:\s*"/.test(text);
  if (text.includes('"delta"')) own.contentEvents += 1;
  if (/"error"\s*:\s*[{"]/.test(text) || text.startsWith("event: error"))
    own.streamError ||= carriesError(frame.message());
  if (!text.includes('"usage"')) return { frame, done: false, finished };
  const tells = /"usage"\s*:\s*[^\sn]/.test(text); // anything but null, which most chunks carry
  const usage = tells ? options.provider.usage(frame.message()) : undefined;
  if (usage !== undefined) options.operation.usage = usage;
  return { frame: options.stripUsage ? withoutUsage(frame, tells) : frame, done: false, finished };
}

function choicesAsked(n: unknown): number {
  return typeof n === "number" && n > 1 ? n : 1;
}

/** Adds the choices that this chunk ends; with `n` above 1 they end one by one. */
function noteFinished(message: unknown, finished: Set<unknown>): void {
  const choices = isObject(message) ? message["choices"] : undefined;
  if (!Array.isArray(choices)) return;
  for (const choice of choices) {
    if (isObject(choice) && typeof choice["finish_reason"] === "string") finished.add(choice["index"] ?? 0);
  }
}

function isDone(text: string): boolean {
  return text.length < 100 && /^(?:\xef\xbb\xbf)?data: ?\[DONE\]\s*$/m.test(text);
}

function carriesError(message: unknown): boolean {
  return isObject(message) && message["error"] !== undefined && message["error"] !== null;
}

/** Nothing for the usage chunk itself; any other chunk without its `usage` member, every other byte in place. */
function withoutUsage(frame: SseFrame, tells: boolean): Frame | undefined {
  if (tells && isUsageChunk(frame.message())) return undefined;
  try {
    return withData(frame, withoutUsageMember);
  } catch {
    return frame; // two members of that name, say: not for us to judge, and harmless
  }
}

function isUsageChunk(message: unknown): boolean {
  if (!isObject(message)) return false;
  const { choices, usage } = message;
  return Array.isArray(choices) && choices.length === 0 && usage !== null && usage !== undefined;
}

function withoutUsageMember(payload: Uint8Array): Uint8Array {
  const value = scanJson(payload, { maxDepth: Number.MAX_SAFE_INTEGER }).members.get("usage");
  if (value === undefined) return payload;
  const name = Buffer.from(payload.buffer, payload.byteOffset, value[0]).lastIndexOf('"usage"');
  const before = Buffer.from(payload.buffer, payload.byteOffset, name).toString("latin1");
  const comma = before.trimEnd().endsWith(",") ? before.lastIndexOf(",") : -1;
  const start = comma >= 0 ? comma : name;
  const after = Buffer.from(payload.buffer, payload.byteOffset + value[1], payload.length - value[1]).toString(
    "latin1",
  );
  const trailing = comma < 0 ? (/^\s*,/.exec(after)?.[0].length ?? 0) : 0;
  return spliceBytes(payload, [{ start, end: value[1] + trailing, replacement: "" }]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
