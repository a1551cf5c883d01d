/** A text that stands in a message as the letters of its bytes. */
export interface EncodedText {
  readonly text: string;
  /** Another text in the same form. */
  encode(text: string): string;
}

/** Letters from which it shows whether bytes are a picture, and not worth the rest. */
const headLetters = 4_096;

/**
 * The text behind base64 or a `data:` URL. Undefined where the bytes are none: no UTF-8, or with a NUL, as pictures, sound
 * and archives have it in their first bytes. What the message says of their type is not asked, for it may lie.
 * @see https://www.rfc-editor.org/rfc/rfc2397
 */
export function encodedText(value: string): EncodedText | undefined {
  const comma = value.startsWith("data:") ? value.indexOf(",") : -1;
  const head = value.slice(0, comma + 1);
  const letters = value.slice(comma + 1);
  if (comma >= 0 && !/;base64,$/i.test(head)) {
    const text = percentDecoded(letters);
    return text === undefined ? undefined : { text, encode: (edited) => head + encodeURIComponent(edited) };
  }
  if (!/^[A-Za-z0-9+/_=\s-]*$/.test(letters)) return undefined;
  if (letters.length > headLetters && textOf(letters.slice(0, headLetters), true) === undefined) return undefined;
  const text = textOf(letters, false);
  return text === undefined || text === ""
    ? undefined
    : { text, encode: (edited) => head + Buffer.from(edited, "utf8").toString("base64") };
}

function textOf(letters: string, isCut: boolean): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(letters, "base64"), {
      stream: isCut,
    });
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function percentDecoded(letters: string): string | undefined {
  try {
    return decodeURIComponent(letters);
  } catch {
    return undefined;
  }
}
