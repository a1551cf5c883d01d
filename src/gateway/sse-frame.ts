import { parseSseEvent } from "../kernel/sse.ts";
import type { Frame } from "../pipeline/exchange.ts";

/** One server-sent event as a frame; its message is the JSON of its data, parsed when somebody asks. */
export class SseFrame implements Frame {
  readonly bytes: Uint8Array;
  #message: unknown;
  #parsed = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Undefined for a heartbeat, for `[DONE]`, and for data that is no JSON: those are relayed as they are. */
  message(): unknown {
    if (!this.#parsed) {
      this.#parsed = true;
      this.#message = parseData(this.bytes);
    }
    return this.#message;
  }
}

/** The event with other data: its name and id stay. */
export function withData(bytes: Uint8Array, payload: Uint8Array): SseFrame {
  const { event, id } = parseSseEvent(bytes);
  const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}data: `;
  return new SseFrame(Buffer.concat([Buffer.from(head), payload, Buffer.from("\n\n")]));
}

function parseData(bytes: Uint8Array): unknown {
  const { data } = parseSseEvent(bytes);
  if (data === undefined || data === "" || data === "[DONE]") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
