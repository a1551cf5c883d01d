import type { Frame } from "../../pipeline/exchange.ts";

/** Makes frames for the client out of the bytes of an upstream's stream. */
export interface StreamReader {
  /** The answer is whole: what comes behind is nobody's. */
  readonly isDone: boolean;
  /** The frames that these bytes complete. Throws `upstream.too_large` at an event beyond the limit. */
  push(chunk: Uint8Array): readonly Frame[];
  /** The body has ended: its last frames. Throws `upstream.reset` when the answer is not whole. */
  end(): readonly Frame[];
}
