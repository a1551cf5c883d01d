import { parseJson } from "../kernel/parse-json.ts";
import type { SpanEdit, TextSpan } from "../pipeline/define-guardrail.ts";
import type { Frame } from "../pipeline/exchange.ts";
import { editStrings, editText } from "./edit-strings.ts";

/** A whole answer with edits in its texts, which knows what they are now: the next guardrail need not read it again. */
export class EditedFrame implements Frame {
  readonly bytes: Uint8Array;
  /** As they are in these bytes; those that were emptied are left out. */
  readonly spans: readonly TextSpan[];
  #message: unknown = unread;

  constructor(bytes: Uint8Array, spans: readonly TextSpan[]) {
    this.bytes = bytes;
    this.spans = spans;
  }

  message(): unknown {
    if (this.#message === unread) this.#message = parseJson(Buffer.from(this.bytes).toString("utf8"));
    return this.#message;
  }
}

/**
 * The frame of JSON with its texts edited. `spans` are all that a reading of the frame gave, read so that its bytes have no
 * second meaning; throws as `editStrings` does.
 */
export function editWhole(frame: Frame, spans: readonly TextSpan[], edits: readonly SpanEdit[]): EditedFrame {
  const bytes = editStrings(frame.bytes, spans, edits, { isStrict: true });
  const bySpan = Map.groupBy(edits, ({ span }) => span);
  const edited = spans.map((span, index) => {
    const own = bySpan.get(index);
    return own === undefined ? span : { ...span, text: editText(span.text, own) };
  });
  return new EditedFrame(
    bytes,
    edited.filter(({ text }) => text !== ""),
  );
}

const unread = Symbol("unread");
