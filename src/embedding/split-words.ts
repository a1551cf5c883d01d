/** UTF-16 units of a text that are read; what comes later adds nothing to its meaning and would hold up the loop. */
const readUnits = 65_536;

const other = 0;
const lower = 1;
const digit = 2;
const upper = 3;
const classes = Uint8Array.from({ length: 128 }, (_, code) => classOf(code));

/**
 * The words of a text, lower-case and without accents, in order. Identifiers are split where their case changes
 * (`getUserToken`, `HTTPServer`) and at everything that is no letter and no digit. Words of other scripts than Latin
 * stand by themselves, never mixed with Latin ones. Reads the first 65,536 UTF-16 units.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const end = Math.min(text.length, readUnits);
  let carried = ""; // what of the current word came out of folded characters
  let start = -1; // where the plain characters of the current word begin
  for (let at = 0; at < end; at += 1) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? classes[code] : other;
    if (kind !== other) {
      if (kind === upper && start !== -1 && changesCase(text, at, end)) {
        words.push(carried + text.slice(start, at).toLowerCase());
        carried = "";
        start = at;
      } else if (start === -1) start = at;
      continue;
    }
    if (start !== -1) carried += text.slice(start, at).toLowerCase();
    start = -1;
    if (code < 128) {
      if (carried !== "") words.push(carried);
      carried = "";
      continue;
    }
    const runEnd = endOfRun(text, at, end);
    carried = splitFolded(fold(text.slice(at, runEnd)), carried, words);
    at = runEnd - 1;
  }
  if (start !== -1) carried += text.slice(start, end).toLowerCase();
  if (carried !== "") words.push(carried);
  return words;
}

/** Whether a word is of Latin letters and digits only. */
export function isLatin(word: string): boolean {
  return word.charCodeAt(0) < 128; // words are never mixed
}

/** True where `at`, an upper-case letter, begins a word of its own inside an identifier. */
function changesCase(text: string, at: number, end: number): boolean {
  const before = classes[text.charCodeAt(at - 1)] ?? other;
  if (before === lower || before === digit) return true;
  return before === upper && at + 1 < end && classes[text.charCodeAt(at + 1)] === lower;
}

/** A run goes on over spaces and punctuation, so that a text without Latin letters is folded in one call. */
function endOfRun(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code < 128 && classes[code] !== other) break;
    at += 1;
  }
  return at;
}

function fold(run: string): string {
  return run
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
}

/** Splits a folded run, of which `carried` is the beginning of the first word; returns the word it leaves open. */
function splitFolded(run: string, carried: string, words: string[]): string {
  let word = carried;
  for (const character of run) {
    const code = character.charCodeAt(0);
    const isPlain = code < 128;
    const isWord = isPlain ? classes[code] !== other : /[\p{L}\p{N}]/u.test(character);
    if (word !== "" && (!isWord || isPlain !== isLatin(word))) {
      words.push(word);
      word = "";
    }
    if (isWord) word += character;
  }
  if (word === "" || isLatin(word)) return word;
  words.push(word); // what follows the run is Latin
  return "";
}

function classOf(code: number): number {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return lower;
  if (/[0-9]/.test(character)) return digit;
  return /[A-Z]/.test(character) ? upper : other;
}
