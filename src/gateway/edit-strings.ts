import { GatewayError } from "../kernel/errors.ts";
import { locateJson, spliceBytes } from "../kernel/json-scan.ts";
import type { SpanEdit, TextSpan } from "../pipeline/define-guardrail.ts";

/** A span that remembers where in its message its string stands, so that an edit can be put back. */
export interface PlacedSpan extends TextSpan {
  readonly path: readonly (string | number)[];
}

/**
 * The JSON bytes with the edits made in the strings of those spans; every other byte stays. Throws `policy.failed` when
 * a string cannot be found again: a text that a guardrail rewrote must not go on as it was.
 */
export function editStrings(bytes: Uint8Array, spans: readonly TextSpan[], edits: readonly SpanEdit[]): Buffer {
  const bySpan = Map.groupBy(edits, (edit) => edit.span);
  return spliceBytes(
    bytes,
    [...bySpan].map(([index, own]) => {
      const span = spans[index] as PlacedSpan | undefined; // the adapter's own spans come back to it
      const range = span && locateJson(bytes, span.path);
      if (span === undefined || range === undefined) {
        throw new GatewayError("policy.failed", "A text could not be rewritten.", {
          detail: span?.place ?? "no such span",
        });
      }
      return { start: range[0], end: range[1], replacement: JSON.stringify(editText(span.text, own)) };
    }),
  );
}

function editText(text: string, edits: readonly SpanEdit[]): string {
  return edits
    .toSorted((left, right) => right.start - left.start)
    .reduce((edited, { start, end, replacement }) => edited.slice(0, start) + replacement + edited.slice(end), text);
}
