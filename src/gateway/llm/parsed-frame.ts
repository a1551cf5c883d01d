import type { Frame } from "../../pipeline/exchange.ts";

/**
 * A frame of JSON bytes that have been parsed already.
 * @param text the bytes as text, where it is at hand
 */
export function jsonFrame(bytes: Uint8Array, message: unknown, text?: string): Frame {
  return new ParsedFrame(bytes, message, text);
}

class ParsedFrame implements Frame {
  readonly bytes: Uint8Array;
  readonly text: string | undefined;
  readonly #message: unknown;

  constructor(bytes: Uint8Array, message: unknown, text: string | undefined) {
    this.bytes = bytes;
    this.text = text;
    this.#message = message;
  }

  message(): unknown {
    return this.#message;
  }
}
