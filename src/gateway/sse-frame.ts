import { GatewayError } from "../kernel/errors.ts";
import { parseJson } from "../kernel/parse-json.ts";
import { parseSseEvent } from "../kernel/sse.ts";
import type { Frame } from "../pipeline/exchange.ts";

/** One server-sent event as a frame; its message is the JSON of its data, parsed when somebody asks. */
export class SseFrame implements Frame {
  readonly bytes: Uint8Array;
  #message: unknown;
  #parsed = false;
  #data: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Undefined for a heartbeat, for `[DONE]`, and for data that is no JSON: those are relayed as they are. */
  message(): unknown {
    this.#parse();
    return this.#message;
  }

  /** The data's lines joined; undefined for an event without. */
  get data(): string | undefined {
    this.#parse();
    return this.#data;
  }

  /** True for a comment, and for an event that only tells an id: it carries nothing to read. */
  get isEmpty(): boolean {
    return this.data === undefined || this.data === "";
  }

  #parse(): void {
    if (this.#parsed) return;
    this.#parsed = true;
    this.#data = parseSseEvent(this.bytes).data;
    this.#message = parseData(this.#data);
  }
}

/**
 * A frame of an answer with its JSON changed: an event stays an event, a whole answer a whole answer. Where `change`
 * finds the JSON at fault, it is the upstream's and not the client's: then this throws `upstream.invalid`.
 */
export function changeFrame(frame: Frame, change: (json: Uint8Array) => Uint8Array): Frame {
  try {
    return changed(frame, change);
  } catch (cause) {
    if (!(cause instanceof GatewayError && cause.code.startsWith("request."))) throw cause;
    throw new GatewayError("upstream.invalid", "The upstream's answer cannot be read in one way only.", { cause });
  }
}

function changed(frame: Frame, change: (json: Uint8Array) => Uint8Array): Frame {
  if (frame instanceof SseFrame) return withData(frame, change);
  const bytes = change(frame.bytes);
  let value: unknown = unread;
  return {
    bytes,
    message() {
      if (value === unread) value = parseJson(Buffer.from(bytes).toString("utf8"));
      return value;
    },
  };
}

const unread = Symbol("unread");

/**
 * The event with other data. Where it is one line of data, as on nearly every wire, all bytes around the data stay; any
 * other is written anew with the same fields.
 */
export function withData(frame: SseFrame, change: (data: Uint8Array) => Uint8Array): SseFrame {
  const line = dataLine(frame.bytes);
  if (line !== undefined) {
    const data = frame.bytes.subarray(line.start, line.end);
    const changed = change(data);
    if (changed === data) return frame;
    return new SseFrame(Buffer.concat([frame.bytes.subarray(0, line.start), changed, frame.bytes.subarray(line.end)]));
  }
  const { event, id, retryMs, data = "" } = parseSseEvent(frame.bytes);
  const changed = Buffer.from(change(Buffer.from(data))).toString("utf8");
  const fields = [
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retryMs === undefined ? [] : [`retry: ${retryMs}`]),
    ...changed.split("\n").map((part) => `data: ${part}`),
  ];
  return new SseFrame(Buffer.from(`${fields.join("\n")}\n\n`));
}

/** Where the data stands in an event that has nothing else. */
function dataLine(bytes: Uint8Array): { readonly start: number; readonly end: number } | undefined {
  const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // a byte order mark
  const field = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, from + 5)).toString("latin1", from);
  if (field !== "data:") return undefined;
  const start = bytes[from + 5] === 0x20 ? from + 6 : from + 5;
  let end = bytes.length;
  while (end > start && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  const data = bytes.subarray(start, end);
  return data.includes(0x0a) || data.includes(0x0d) ? undefined : { start, end };
}

function parseData(data: string | undefined): unknown {
  if (data === undefined || data === "" || data === "[DONE]") return undefined;
  try {
    return parseJson(data);
  } catch {
    return undefined;
  }
}
