import type { Frame } from "../../pipeline/exchange.ts";

/** A frame of JSON bytes that have been parsed already. */
export function jsonFrame(bytes: Uint8Array, message: unknown): Frame {
  return new ParsedFrame(bytes, message);
}

class ParsedFrame implements Frame {
  readonly bytes: Uint8Array;
  readonly #message: unknown;

  constructor(bytes: Uint8Array, message: unknown) {
    this.bytes = bytes;
    this.#message = message;
  }

  message(): unknown {
    return this.#message;
  }
}
