/** What kind of thing a character is that people do not see and models read. */
export type HiddenKind = "tags" | "bidi" | "zero-width" | "variation" | "control";

/** A run of hidden characters: `[start, end)` in UTF-16 units. */
export interface HiddenRun {
  readonly kind: HiddenKind;
  readonly start: number;
  readonly end: number;
}

/**
 * Runs of characters that hide text from people: the tag block (U+E0000 to U+E007F), controls of direction, zero-width
 * ones, the second block of variation selectors, and C0 and C1 controls. Left alone are what writing needs: joiners
 * beside letters of scripts that join and within pictures, flags made of tags, a byte order mark at the start, and marks of
 * direction (U+200E, U+200F). Linear in the text.
 * @see https://www.unicode.org/reports/tr36/
 */
export function findHidden(text: string): readonly HiddenRun[] {
  if (!mayHide.test(text)) return [];
  const found: HiddenRun[] = [];
  for (const match of text.matchAll(hidden)) {
    const start = match.index;
    const end = start + match[0].length;
    const kind = kindOf(match[0].codePointAt(0) ?? 0);
    if (!isNeeded(text, start, end, kind)) found.push({ kind, start, end });
  }
  return found;
}

/** The text without them, and what the tag block spells appended: what a model may read out of it. */
export function withoutHidden(text: string): string {
  const runs = findHidden(text);
  if (runs.length === 0) return text;
  let visible = "";
  let read = 0;
  let spelled = "";
  for (const { kind, start, end } of runs) {
    visible += text.slice(read, start);
    if (kind === "tags") spelled += Array.from(text.slice(start, end), tagLetter).join("");
    read = end;
  }
  visible += text.slice(read);
  return spelled === "" ? visible : `${visible}\n${spelled}`;
}

const mayHide =
  /(?![\t\n\r\u0085])[\p{Cc}\u00ad\u061c\u180e\u200b-\u200d\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]|[\u{e0100}-\u{e01ef}]/u;

/** Runs of one kind each. */
const hidden =
  /[\u{e0000}-\u{e007f}]+|[\u{e0100}-\u{e01ef}]+|[\u061c\u202a-\u202e\u2066-\u2069]+|[\u00ad\u180e\u200b-\u200d\u2060-\u2065\ufeff]+|(?:(?![\t\n\r\u0085])\p{Cc})+/gu;

function kindOf(code: number): HiddenKind {
  if (code >= 0xe_00_00 && code <= 0xe_00_7f) return "tags";
  if (code >= 0xe_01_00) return "variation";
  if (code === 0x06_1c || (code >= 0x20_2a && code <= 0x20_2e) || (code >= 0x20_66 && code <= 0x20_69)) return "bidi";
  return code < 0xa0 ? "control" : "zero-width";
}

/** Letters of scripts whose shapes depend on joiners, and what pictures are joined of. */
const joins =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Mongolian}\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u;

/** Ideographs may be followed by a selector of their form. */
const ideograph = /\p{Ideographic}/u;

function isNeeded(text: string, start: number, end: number, kind: HiddenKind): boolean {
  const before = characterBefore(text, start);
  if (kind === "tags") return before === "\u{1f3f4}" && end - start <= 14; // a flag: at most six letters and the end
  if (kind === "variation") return end - start === 2 && ideograph.test(before);
  if (kind !== "zero-width" || end - start !== 1) return false;
  const only = text.charCodeAt(start);
  if (only === 0xfe_ff) return start === 0;
  if (only === 0x00_ad) return true; // where a word may be divided; too common in what is copied from pages
  const isJoiner = only === 0x20_0c || only === 0x20_0d;
  return isJoiner && joins.test(before);
}

function characterBefore(text: string, at: number): string {
  if (at === 0) return "";
  const low = text.charCodeAt(at - 1);
  return at > 1 && low >= 0xdc_00 && low <= 0xdf_ff ? text.slice(at - 2, at) : text.slice(at - 1, at);
}

function tagLetter(character: string): string {
  const code = (character.codePointAt(0) ?? 0) - 0xe_00_00;
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "";
}
