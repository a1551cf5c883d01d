import { GatewayError } from "./errors.ts";

/** Cuts a byte stream into whole server-sent events without changing a byte: joined again, the pieces are the stream. */
export interface SseSplitter {
  /**
   * The events that `chunk` completes, each with the blank line that ends it. Line ends beyond that one come as pieces
   * of their own, which are no events and carry nothing.
   */
  push(chunk: Uint8Array): Uint8Array[];
  /** True where one event has ended and none has begun. */
  readonly isBetween: boolean;
  /** Bytes of an event that never ended: at the end of a stream, a sign that it was cut. */
  rest(): Uint8Array;
}

export interface SseSplitterOptions {
  /** An event beyond this many bytes throws `upstream.too_large`. */
  readonly maxEventBytes: number;
  /** What is thrown in place of that. */
  readonly tooLarge?: () => GatewayError;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * A splitter by the WHATWG rules: lines end in LF, CR or CRLF, an empty line ends an event, and a chunk may end anywhere.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function createSseSplitter({ maxEventBytes, tooLarge }: SseSplitterOptions): SseSplitter {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let lineIsEmpty = true;
  let eventHasLines = false;
  let afterReturn = false;

  const limit = (bytes: number): void => {
    if (bytes <= maxEventBytes) return;
    throw (
      tooLarge?.() ??
      new GatewayError("upstream.too_large", "The upstream sent an event that is too large.", {
        detail: `over ${maxEventBytes} bytes`,
      })
    );
  };
  const take = (tail: Uint8Array): Uint8Array => {
    limit(heldBytes + tail.length);
    if (heldBytes === 0) return tail;
    const whole = Buffer.concat([...held, tail]);
    held = [];
    heldBytes = 0;
    return whole;
  };

  return {
    push(chunk) {
      const events: Uint8Array[] = [];
      const nextLineEnd = lineEndFinder(chunk);
      let start = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at];
        const endsLine = byte === lineFeed ? !afterReturn : byte === carriageReturn;
        const continuesReturn = byte === lineFeed && afterReturn;
        afterReturn = byte === carriageReturn;
        if (continuesReturn) continue;
        if (!endsLine) {
          if (!eventHasLines && start < at) {
            events.push(chunk.subarray(start, at));
            start = at;
          }
          lineIsEmpty = false;
          eventHasLines = true;
          at = nextLineEnd(at + 1) - 1;
          continue;
        }
        if (!lineIsEmpty) {
          lineIsEmpty = true;
          continue;
        }
        if (!eventHasLines) continue;
        let end = at + 1;
        if (byte === carriageReturn && chunk[end] === lineFeed) {
          end += 1;
          at += 1;
          afterReturn = false;
        }
        events.push(take(chunk.subarray(start, end)));
        start = end;
        eventHasLines = false;
      }
      if (start === chunk.length) return events;
      if (eventHasLines) {
        held.push(chunk.subarray(start));
        heldBytes += chunk.length - start;
        limit(heldBytes);
      } else {
        events.push(chunk.subarray(start)); // never held, or a whole stream would look cut
      }
      return events;
    },
    get isBetween() {
      return heldBytes === 0 && lineIsEmpty && !eventHasLines && !afterReturn;
    },
    rest: () => Buffer.concat(held),
  };
}

/** Finds the next byte of a line end at or behind an offset that never goes back; the chunk's length when none is left. */
function lineEndFinder(chunk: Uint8Array): (from: number) => number {
  const positions = { feed: -1, carriage: -1 }; // looked for natively, and again only when one has been passed
  const next = (known: number, byte: number, from: number): number => {
    if (known >= from) return known;
    const found = chunk.indexOf(byte, from);
    return found < 0 ? chunk.length : found;
  };
  return (from) => {
    positions.feed = next(positions.feed, lineFeed, from);
    positions.carriage = next(positions.carriage, carriageReturn, from);
    return Math.min(positions.feed, positions.carriage);
  };
}

/** One parsed event. `data` is undefined when the event has none (a comment or heartbeat). */
export interface SseEvent {
  readonly event: string | undefined;
  readonly data: string | undefined;
  readonly id: string | undefined;
  readonly retryMs: number | undefined;
}

/** The fields of one event's bytes; several `data` lines are joined by a line feed, comments are skipped. */
export function parseSseEvent(bytes: Uint8Array): SseEvent {
  let event: string | undefined;
  let data: string | undefined;
  let id: string | undefined;
  let retryMs: number | undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (line === "" || line.startsWith(":")) continue;
    const colonAt = line.indexOf(":");
    const field = colonAt < 0 ? line : line.slice(0, colonAt);
    const raw = colonAt < 0 ? "" : line.slice(colonAt + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (field === "data") data = data === undefined ? value : `${data}\n${value}`;
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/.test(value)) retryMs = Number(value);
  }
  return { event, data, id, retryMs };
}
