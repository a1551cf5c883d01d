import type { Clock } from "../../kernel/clock.ts";
import { GatewayError } from "../../kernel/errors.ts";
import { scanJson, spliceBytes } from "../../kernel/json-scan.ts";
import { createSseSplitter, parseSseEvent } from "../../kernel/sse.ts";
import type { Frame, Operation } from "../../pipeline/exchange.ts";
import type { CompiledProvider } from "../../pipeline/define-provider.ts";
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
  let finished = false;
  for await (const chunk of body.chunks()) {
    for (const bytes of splitter.push(chunk)) {
      const event = readEvent(bytes, options);
      if (event.frame !== undefined) yield event.frame;
      if (event.done) {
        body.release(options.clock, releaseMs);
        return;
      }
      finished ||= event.finished;
    }
  }
  const rest = splitter.rest();
  if (rest.length > 0 && isDone(Buffer.from(rest).toString("latin1"))) {
    yield new SseFrame(Buffer.concat([rest, Buffer.from("\n\n")]));
    return;
  }
  if (finished || own.streamError) return;
  throw new GatewayError("upstream.reset", "The upstream's stream broke off before it was complete.", {
    detail: `no finish reason and no [DONE]; ${rest.length} bytes of an unfinished event`,
  });
}

/** One server-sent event as a frame; its message is the JSON of its data. */
export class SseFrame implements Frame {
  readonly bytes: Uint8Array;
  #message: unknown;
  #parsed = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  message(): unknown {
    if (!this.#parsed) {
      this.#parsed = true;
      this.#message = parseData(this.bytes);
    }
    return this.#message;
  }
}

/** Waits for the first frame, so that an upstream that dies before it can still be answered by another one. */
export async function startStream(frames: AsyncGenerator<Frame>): Promise<AsyncGenerator<Frame>> {
  const first = await frames.next();
  return (async function* () {
    try {
      if (first.done !== true) yield first.value;
      yield* frames;
    } finally {
      await frames.return(undefined); // also when nobody read on after the first frame
    }
  })();
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
  if (/"error"\s*:\s*[{"]/.test(text) || text.startsWith("event: error")) own.streamError ||= carriesError(frame.message());
  if (!text.includes('"usage"')) return { frame, done: false, finished };
  const message = frame.message();
  const usage = options.provider.usage(message);
  if (usage !== undefined) options.operation.usage = usage;
  return { frame: options.stripUsage ? withoutUsage(frame, message) : frame, done: false, finished };
}

function isDone(text: string): boolean {
  return text.length < 100 && /^data: ?\[DONE\]\s*$/m.test(text);
}

function carriesError(message: unknown): boolean {
  return isObject(message) && message["error"] !== undefined && message["error"] !== null;
}

/** Nothing for the usage chunk itself; any other chunk without its `usage` member, every other byte in place. */
function withoutUsage(frame: SseFrame, message: unknown): Frame | undefined {
  if (!isObject(message) || !("usage" in message)) return frame;
  const { choices } = message;
  if (Array.isArray(choices) && choices.length === 0 && message["usage"] !== null) return undefined;
  const start = frame.bytes.indexOf(0x7b);
  const payload = frame.bytes.subarray(start);
  const value = scanJson(payload, { maxDepth: Number.MAX_SAFE_INTEGER }).members.get("usage");
  if (value === undefined) return frame;
  const name = Buffer.from(payload.buffer, payload.byteOffset, value[0]).lastIndexOf('"usage"');
  const before = Buffer.from(payload.buffer, payload.byteOffset, name).toString("latin1");
  const comma = before.trimEnd().endsWith(",") ? before.lastIndexOf(",") : -1;
  const from = comma >= 0 ? comma : name;
  const after = Buffer.from(payload.buffer, payload.byteOffset + value[1], payload.length - value[1]).toString("latin1");
  const trailing = comma < 0 ? (/^\s*,/.exec(after)?.[0].length ?? 0) : 0;
  return new SseFrame(
    spliceBytes(frame.bytes, [{ start: start + from, end: start + value[1] + trailing, replacement: "" }]),
  );
}

function parseData(bytes: Uint8Array): unknown {
  const { data } = parseSseEvent(bytes);
  if (data === undefined || data === "[DONE]") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined; // relayed as it is; whoever needs its meaning finds none
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
