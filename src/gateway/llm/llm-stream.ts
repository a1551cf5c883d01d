import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import { createSseSplitter } from "../../kernel/sse.ts";
import type { CompiledProvider } from "../../pipeline/define-provider.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import { SseFrame, withData } from "../sse-frame.ts";
import type { UpstreamBody } from "../upstream-body.ts";
import { llmRequest } from "./llm-request.ts";

export interface LlmStreamOptions {
  readonly operation: Operation;
  readonly provider: CompiledProvider;
  /** The gateway asked for usage on its own account: the client must not see it. */
  readonly stripUsage: boolean;
  readonly maxEventBytes: number;
  readonly clock: Clock;
}

const releaseMs = 1_000;

/**
 * The events of a chat stream as frames, byte for byte as the upstream sent them but for the usage that the client
 * did not ask for. Ends after `[DONE]`, or at the end of the body when a finish reason or an error was seen; a body
 * that ends earlier throws `upstream.reset`, for an SDK would take it for a whole answer.
 */
export async function* llmFrames(body: UpstreamBody, options: LlmStreamOptions): AsyncGenerator<Frame> {
  const splitter = createSseSplitter({ maxEventBytes: options.maxEventBytes });
  const own = llmRequest(options.operation);
  const finished = new Set<unknown>();
  for await (const chunk of body.chunks()) {
    for (const bytes of splitter.push(chunk)) {
      const event = readEvent(bytes, options);
      if (event.frame !== undefined) yield event.frame;
      if (event.done) {
        body.release(options.clock, releaseMs);
        return;
      }
      if (event.finished) noteFinished(event.frame?.message(), finished);
    }
  }
  const rest = splitter.rest();
  if (rest.length > 0 && isDone(Buffer.from(rest).toString("latin1"))) {
    yield new SseFrame(Buffer.concat([rest, Buffer.from("\n\n")]));
    return;
  }
  if (finished.size >= choicesAsked(own.json["n"]) || own.streamError) return;
  throw new GatewayError("upstream.reset", "The upstream's stream broke off before it was complete.", {
    detail: `no finish reason and no [DONE]; ${rest.length} bytes of an unfinished event`,
  });
}

/**
 * Waits for the first frame, so that an upstream that dies before it can still be answered by another one. The result
 * is read once; `return` lets go of the upstream, also when nothing was read.
 */
export async function startStream(frames: AsyncGenerator<Frame>): Promise<AsyncIterableIterator<Frame>> {
  let first: Promise<IteratorResult<Frame>> | undefined = Promise.resolve(await frames.next());
  const started: AsyncIterableIterator<Frame> = {
    next() {
      const next = first ?? frames.next();
      first = undefined;
      return next;
    },
    return: () => frames.return(undefined),
    [Symbol.asyncIterator]: () => started,
  };
  return started;
}

interface ReadEvent {
  readonly frame: Frame | undefined;
  readonly done: boolean;
  readonly finished: boolean;
}

// Looks at the text of an event, not at its parsed form: most chunks carry three words of text and nothing to act on.
function readEvent(bytes: Uint8Array, options: LlmStreamOptions): ReadEvent {
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
