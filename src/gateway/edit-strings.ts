import { GatewayError } from "../kernel/errors.ts";
import { spliceBytes } from "../kernel/json-scan.ts";
import { locateAll } from "../kernel/locate-all.ts";
import type { SpanEdit, TextSpan } from "../pipeline/define-guardrail.ts";

/** A span that remembers where in its message its string stands, so that an edit can be put back. */
export interface PlacedSpan extends TextSpan {
  readonly path: readonly (string | number)[];
  /** The string as the message has it, where it stands there in another form. */
  encode?(text: string): string;
}

/**
 * The JSON bytes with the edits made in the strings of those spans; every other byte stays. Takes time in the length of
 * both, however many strings are edited. Throws `policy.failed` when a string cannot be found again: a text that a
 * guardrail rewrote must not go on as it was.
 */
export function editStrings(bytes: Uint8Array, spans: readonly TextSpan[], edits: readonly SpanEdit[]): Buffer {
  const edited = [...Map.groupBy(edits, (edit) => edit.span)].map(([index, own]) => ({
    span: spans[index] as PlacedSpan | undefined, // the adapter's own spans come back to it
    own,
  }));
  const ranges = locateAll(
    bytes,
    edited.map(({ span }) => span?.path ?? []),
  );
  return spliceBytes(
    bytes,
    edited.map(({ span, own }, at) => {
      const range = ranges[at];
      if (span === undefined || range === undefined) {
        throw new GatewayError("policy.failed", "A text could not be rewritten.", {
          detail: span?.place ?? "no such span",
        });
      }
      const text = editText(span.text, own);
      return { start: range[0], end: range[1], replacement: JSON.stringify(span.encode?.(text) ?? text) };
    }),
  );
}

function editText(text: string, edits: readonly SpanEdit[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, replacement } of edits.toSorted((left, right) => left.start - right.start)) {
    parts.push(text.slice(from, start), replacement);
    from = end;
  }
  return parts.join("") + text.slice(from);
}
