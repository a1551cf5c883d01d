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

  /** Undefined for a heartbeat, for `[DONE]`, and for data that is no JSON. */
  message(): unknown {
    this.#parse();
    return this.#message;
  }

  /** True for a comment, and for an event that only tells an id: it carries nothing to read. */
  get isEmpty(): boolean {
    this.#parse();
    return this.#data === undefined || this.#data === "";
  }

  #parse(): void {
    if (this.#parsed) return;
    this.#parsed = true;
    this.#data = parseSseEvent(this.bytes).data;
    this.#message = parseJson(this.#data);
  }
}

/** The event with other data: its name, id and retry time stay. Data of several lines stays data of several lines. */
export function withData(bytes: Uint8Array, payload: Uint8Array): SseFrame {
  const { event, id, retryMs } = parseSseEvent(bytes);
  const fields = [
    ...(event === undefined ? [] : [`event: ${event}`]),
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(retryMs === undefined ? [] : [`retry: ${retryMs}`]),
    ...Buffer.from(payload)
      .toString("utf8")
      .split("\n")
      .map((line) => `data: ${line}`),
  ];
  return new SseFrame(Buffer.from(`${fields.join("\n")}\n\n`));
}

function parseJson(data: string | undefined): unknown {
  if (data === undefined || data === "" || data === "[DONE]") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
