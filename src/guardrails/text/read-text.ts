/** A text as a reader takes it, and where each of its characters stands in the original. */
export interface ReadableText {
  readonly text: string;
  /** The offset in the original (UTF-16 units) of the character at `index`; of the end, for the text's length. */
  origin(index: number): number;
}

/**
 * Undoes what keeps a pattern from seeing what people see: full-width characters and the digits of other scripts become
 * ASCII, all dashes `-` and all blanks a space, what is invisible is gone, and escapes of JSON stand for their characters,
 * since texts hold JSON in strings. A text without any of this comes back as it is, after one look.
 *
 * The time is linear in the text. Lone surrogates stay.
 */
export function readText(original: string): ReadableText {
  if (!unusual.test(original)) return { text: original, origin: itself };
  special.lastIndex = 0;
  let match = special.exec(original);
  if (match === null) return { text: original, origin: itself };
  let text = "";
  let read = 0;
  /** Places behind which offsets differ by more than before, in pairs: place in `text`, and the difference from there. */
  const shifts: [at: number, by: number][] = [];
  for (; match !== null; match = special.exec(original)) {
    const said = meaning(match[0]);
    text += original.slice(read, match.index) + said;
    read = match.index + match[0].length;
    if (said.length !== match[0].length) shifts.push([text.length, read - text.length]);
  }
  text += original.slice(read);
  return { text, origin: shifts.length === 0 ? itself : (index) => index + shiftAt(shifts, index) };
}

function itself(index: number): number {
  return index;
}

/** What may have to be undone: anything beyond ASCII, and escapes. */
const unusual = /[\\\u0080-\uffff]/;

/** In this order: invisible, full-width, blanks, dashes, digits, mathematical digits, escapes (of JSON within JSON too). */
const special =
  /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+|[\uff01-\uff5e]|[\u00a0\u2000-\u200a\u202f\u205f\u3000]|[\u2010-\u2015\u2212\ufe58\ufe63]|[\u0660-\u0669\u06f0-\u06f9\u07c0-\u07c9\u0966-\u096f\u09e6-\u09ef\u0e50-\u0e59]|\ud835[\udfce-\udfff]|\\{1,4}(?:[nrtbf"/]|u[0-9a-fA-F]{4})/g;

const zeros = [0x06_60, 0x06_f0, 0x07_c0, 0x09_66, 0x09_e6, 0x0e_50];

function meaning(found: string): string {
  const code = found.charCodeAt(0);
  if (code === 0x5c) return unescaped(found.replace(/^\\+/, ""));
  if (code >= 0xff_01 && code <= 0xff_5e) return String.fromCharCode(code - 0xfe_e0);
  if (code === 0xd8_35) return String((found.charCodeAt(1) - 0xdf_ce) % 10);
  const zero = zeros.find((first) => code >= first && code < first + 10);
  if (zero !== undefined) return String(code - zero);
  if (/[\u2010-\u2015\u2212\ufe58\ufe63]/.test(found)) return "-";
  return /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/.test(found) ? " " : "";
}

function unescaped(escape: string): string {
  if (escape.length === 5) return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
  return { n: "\n", r: "\r", t: "\t", b: " ", f: " " }[escape] ?? escape;
}

/** By how much the offsets differ at `index`: of the last place at or before it. */
function shiftAt(shifts: readonly (readonly [at: number, by: number])[], index: number): number {
  let [low, high] = [0, shifts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((shifts[middle]?.[0] ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  return shifts[low - 1]?.[1] ?? 0;
}
