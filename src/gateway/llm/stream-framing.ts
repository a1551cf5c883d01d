import { parseJson } from "../../kernel/parse-json.ts";
import type { SseSplitter } from "../../kernel/sse.ts";
import { createSseSplitter, parseSseEvent } from "../../kernel/sse.ts";
import type { WireEvent } from "../../routing/dialects/dialect.ts";

/** An event and the bytes that it came in. */
export interface FramedEvent {
  readonly bytes: Uint8Array;
  /** What the event says, parsed when it is asked for. `data` is undefined for a heartbeat, and for what is no JSON. */
  event(): WireEvent;
}

/** Cuts a body into events. */
export interface StreamFraming {
  push(chunk: Uint8Array): readonly FramedEvent[];
  /** Bytes of an event that never ended. */
  rest(): number;
}

/** Server-sent events. One beyond `maxEventBytes` throws `upstream.too_large`. */
export function sseFraming(maxEventBytes: number): StreamFraming {
  const splitter: SseSplitter = createSseSplitter({ maxEventBytes });
  return {
    push: (chunk) => splitter.push(chunk).map((bytes) => ({ bytes, event: () => readEvent(bytes) })),
    rest: () => splitter.rest().length,
  };
}

function readEvent(bytes: Uint8Array): WireEvent {
  const { event, data } = parseSseEvent(bytes);
  const named = event === undefined ? {} : { event };
  return { ...named, data: data === undefined || data === "[DONE]" ? data : parsed(data) };
}

function parsed(data: string): unknown {
  try {
    return parseJson(data);
  } catch {
    return undefined;
  }
}
