import { isLatin, splitWords } from "./split-words.ts";

/** Most tokens that a text gives; the rest is not read. */
const maxTokens = 512;

/** Characters of an unknown word that are cut into pieces. */
const maxWordCharacters = 48;

/** Cuts texts into the tokens of a static model. */
export interface StaticTokenizer {
  /** Row numbers of the model, in the order of the text; none for a text without a Latin letter or digit. */
  tokenize(text: string): number[];
  /** Whether a lower-case word is a token by itself. */
  knows(word: string): boolean;
  /** Number of tokens in the vocabulary. */
  readonly size: number;
}

/** @param vocabulary one token a line, in the order of the rows; `##x` continues a word */
export function createStaticTokenizer(vocabulary: string): StaticTokenizer {
  const lines = vocabulary.replaceAll("\r", "").split("\n");
  const tokens = lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  const first = new Map<string, number>();
  const later = new Map<string, number>();
  let longest = 1;
  for (let row = 0; row < tokens.length; row += 1) {
    const token = tokens[row] ?? "";
    const isContinuation = token.length > 2 && token.startsWith("##");
    const piece = isContinuation ? token.slice(2) : token;
    (isContinuation ? later : first).set(piece, row);
    longest = Math.max(longest, piece.length);
  }
  return {
    size: tokens.length,
    knows: (word) => first.has(word),
    tokenize(text) {
      const rows: number[] = [];
      for (const word of splitWords(text)) {
        if (!isLatin(word)) continue;
        const row = first.get(word);
        if (row !== undefined) rows.push(row);
        else cutIntoPieces(word.slice(0, maxWordCharacters), first, later, longest, rows);
        if (rows.length >= maxTokens) return rows.slice(0, maxTokens);
      }
      return rows;
    },
  };
}

/** Greedy: the longest piece from the left; a character that no piece begins with is skipped. */
function cutIntoPieces(
  word: string,
  first: ReadonlyMap<string, number>,
  later: ReadonlyMap<string, number>,
  longest: number,
  rows: number[],
): void {
  let at = 0;
  while (at < word.length) {
    const pieces = at === 0 ? first : later;
    let end = Math.min(word.length, at + longest);
    let row = pieces.get(word.slice(at, end));
    while (row === undefined && end > at + 1) {
      end -= 1;
      row = pieces.get(word.slice(at, end));
    }
    if (row !== undefined) rows.push(row);
    at = end;
  }
}
