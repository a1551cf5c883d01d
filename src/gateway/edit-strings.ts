import { GatewayError } from "../kernel/errors.ts";
import type { ByteEdit } from "../kernel/json-scan.ts";
import { endOfString, spliceBytes } from "../kernel/json-scan.ts";
import { locateAll, locateStarts } from "../kernel/locate-all.ts";
import type { SpanEdit, TextSpan } from "../pipeline/define-guardrail.ts";

/** A span that remembers where in its message its string stands, so that an edit can be put back. */
export interface PlacedSpan extends TextSpan {
  readonly path: readonly (string | number)[];
  /** The string as the message has it, where it stands there in another form. */
  encode?(text: string): string;
}

/**
 * The JSON bytes with the edits made in the strings of those spans; every other byte stays, in those strings too. Takes
 * time in the length of both, however many strings are edited. Throws `policy.failed` when a string cannot be found again:
 * a text that a guardrail rewrote must not go on as it was.
 * @param isStrict whether the bytes are known to have no member twice, so that they need not be read to their end
 */
export function editStrings(
  bytes: Uint8Array,
  spans: readonly TextSpan[],
  edits: readonly SpanEdit[],
  { isStrict = false }: { readonly isStrict?: boolean } = {},
): Buffer {
  const edited = [...Map.groupBy(edits, (edit) => edit.span)].map(([index, own]) => ({
    span: spans[index] as PlacedSpan | undefined, // the adapter's own spans come back to it
    own,
  }));
  const starts = startsOf(
    bytes,
    edited.map(({ span }) => span?.path ?? []),
    isStrict,
  );
  return spliceBytes(
    bytes,
    edited.flatMap(({ span, own }, at) => {
      const start = starts[at];
      if (span === undefined || start === undefined || bytes[start] !== quote) {
        throw new GatewayError("policy.failed", "A text could not be rewritten.", {
          detail: span?.place ?? "no such span",
        });
      }
      return (
        (span.encode === undefined ? rawEdits(bytes, start, own) : undefined) ?? [wholeEdit(bytes, start, span, own)]
      );
    }),
  );
}

function startsOf(
  bytes: Uint8Array,
  paths: readonly PlacedSpan["path"][],
  isStrict: boolean,
): readonly (number | undefined)[] {
  return isStrict ? locateStarts(bytes, paths) : locateAll(bytes, paths).map((range) => range?.[0]);
}

/** The string written anew. */
function wholeEdit(bytes: Uint8Array, start: number, { text, encode }: PlacedSpan, own: readonly SpanEdit[]): ByteEdit {
  const edited = editText(text, own);
  return { start, end: endOfString(bytes, start) + 1, replacement: JSON.stringify(encode?.(edited) ?? edited) };
}

/**
 * The edits where they stand in a string's bytes, so that what lies around them need not be written again. Undefined where
 * one begins or ends within a character, or where the bytes are no UTF-8.
 */
function rawEdits(bytes: Uint8Array, start: number, own: readonly SpanEdit[]): readonly ByteEdit[] | undefined {
  const edits = own.toSorted((left, right) => left.start - right.start);
  const units = edits.flatMap(({ start, end }) => [start, end]);
  const offsets = rawOffsets(bytes, start, units);
  if (offsets === undefined) return undefined;
  return edits.map(({ replacement }, at) => ({
    start: offsets[2 * at] ?? 0, // there is one for each unit
    end: offsets[2 * at + 1] ?? 0,
    replacement: JSON.stringify(replacement).slice(1, -1),
  }));
}

/** Where the UTF-16 units of a string's text, which only go up, stand in its bytes. */
function rawOffsets(bytes: Uint8Array, start: number, units: readonly number[]): number[] | undefined {
  const offsets: number[] = [];
  let unit = 0;
  let at = start + 1;
  for (const wanted of units) {
    while (unit < wanted) {
      const byte = bytes[at] ?? quote;
      if (byte < 0x80 && byte !== quote && byte !== backslash) {
        at += 1;
        unit += 1;
        continue;
      }
      const length = charLength(bytes, at);
      if (length === 0 || at + length >= bytes.length) return undefined;
      at += length;
      unit += length === 4 ? 2 : 1; // of UTF-16
    }
    if (unit > wanted) return undefined;
    offsets.push(at);
  }
  return offsets;
}

/** Bytes of an escape, or of a character beyond ASCII, that begins there; 0 where neither does, as at the string's end. */
function charLength(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? quote;
  if (byte === backslash) return bytes[at + 1] === letterU ? 6 : 2;
  if (byte < 0xc2 || byte > 0xf4) return 0;
  const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  for (let next = 1; next < length; next += 1) if (((bytes[at + next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

const quote = 0x22;
const backslash = 0x5c;
const letterU = 0x75;

/** The text with the edits made, which may come in any order. */
export function editText(text: string, edits: readonly SpanEdit[]): string {
  const parts: string[] = [];
  let from = 0;
  for (const { start, end, replacement } of edits.toSorted((left, right) => left.start - right.start)) {
    parts.push(text.slice(from, start), replacement);
    from = end;
  }
  return parts.join("") + text.slice(from);
}
