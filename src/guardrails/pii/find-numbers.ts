import type { Finding } from "../text/find-in-parts.ts";
import type { Recogniser, Says } from "./recogniser.ts";

/** A number or code of a kind. */
export interface FoundNumber extends Finding {
  readonly recogniser: Recogniser;
}

/** Characters without a digit that may stand between two digits of one match; within a word, and across words. */
const gapUnits = { word: 14, words: 6 };

/** What a match may have before its first digit and behind its last one, besides the whole word. */
const marginUnits = 14;

const wordUnits = 40;

/**
 * All that the recognisers find in a text as `readText` makes it, in order and without overlaps: of two that do overlap,
 * that of the former recogniser. Only the surroundings of digits are looked at, so a text without any costs one look; the
 * time is linear in the text.
 */
export function findNumbers(text: string, recognisers: readonly Recogniser[]): readonly FoundNumber[] {
  const found: FoundNumber[] = [];
  for (let first = nextDigit(text, 0); first >= 0; ) {
    let last = first;
    let digits = 1;
    let next = nextDigit(text, first + 1);
    while (next >= 0 && belongs(text, last, next)) {
      last = next;
      digits += 1;
      next = nextDigit(text, last + 1);
    }
    if (digits >= 4)
      inRegion(text, marginBefore(text, first), marginBehind(text, last + 1), digits, recognisers, found);
    first = next;
  }
  return found;
}

function belongs(text: string, last: number, next: number): boolean {
  const gap = next - last - 1;
  if (gap <= gapUnits.words) return true;
  return gap <= gapUnits.word && !text.slice(last + 1, next).includes(" ");
}

const digit = /\d/g;

function nextDigit(text: string, from: number): number {
  digit.lastIndex = from;
  return digit.test(text) ? digit.lastIndex - 1 : -1; // no match is made, since there may be many
}

function inRegion(
  text: string,
  from: number,
  to: number,
  digits: number,
  recognisers: readonly Recogniser[],
  found: FoundNumber[],
): void {
  const region = text.slice(from, to);
  const own: FoundNumber[] = [];
  for (const recogniser of recognisers) {
    if (recogniser.digits > digits) continue;
    const { pattern } = recogniser;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(region); match !== null; match = pattern.exec(region)) {
      const start = from + match.index;
      const length = recogniser.trim?.(match[0], () => before(text, start)) ?? match[0].length;
      const end = start + length;
      if (length > 0 && isOne(text, start, end, recogniser)) own.push({ start, end, recogniser });
      else pattern.lastIndex = match.index + 1;
    }
  }
  found.push(...withoutOverlaps(own));
}

/** Whether it stands by itself, as no part of a longer number, and is what its recogniser takes for one. */
function isOne(text: string, start: number, end: number, { accept, trim }: Recogniser): boolean {
  const match = text.slice(start, end);
  if (isSeparator(text[start - 1] ?? "", match) && isDigit(text, start - 2)) return false;
  if (text[start - 1] === "+") return false; // a phone number's, which begins with it
  const behind = text[end] ?? "";
  if (isDigit(text, end) || (trim === undefined && isSeparator(behind, match) && isDigit(text, end + 1))) return false;
  const says: Says = (words, where = "near") =>
    words.test(before(text, start)) || (where === "near" && words.test(text.slice(end, end + 24)));
  return accept?.(match, says) !== false;
}

function before(text: string, at: number): string {
  return text.slice(Math.max(0, at - 64), at);
}

/** Whether the character may join groups of digits of such a match. A space does where the match has some itself. */
function isSeparator(character: string, match: string): boolean {
  return character === "-" || character === "." || character === "/" || (character === " " && match.includes(" "));
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

function marginBefore(text: string, first: number): number {
  let at = first;
  while (at > 0 && first - at < wordUnits && !isBlank(text, at - 1)) at -= 1;
  const least = Math.max(0, at - marginUnits);
  at = least;
  while (at > 0 && least - at < wordUnits && !isBlank(text, at - 1)) at -= 1;
  return at;
}

function marginBehind(text: string, last: number): number {
  let at = last;
  while (at < text.length && at - last < wordUnits && !isBlank(text, at)) at += 1;
  return Math.min(text.length, at + marginUnits);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || (code >= 9 && code <= 13);
}

function withoutOverlaps(found: readonly FoundNumber[]): readonly FoundNumber[] {
  if (found.length < 2) return found;
  const rank = new Map<Recogniser, number>();
  for (const { recogniser } of found) if (!rank.has(recogniser)) rank.set(recogniser, rank.size);
  const rankOf = ({ recogniser }: FoundNumber): number => rank.get(recogniser) ?? 0;
  const kept: FoundNumber[] = [];
  for (const each of found.toSorted((left, right) => left.start - right.start)) {
    const last = kept.at(-1);
    if (last === undefined || last.end <= each.start) kept.push(each);
    else if (rankOf(each) < rankOf(last)) kept[kept.length - 1] = each;
  }
  return kept;
}
