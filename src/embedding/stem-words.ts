import { splitWords } from "./split-words.ts";

/** Words that say nothing of what is asked for: function words, and how people begin a request. */
const stopWords = new Set(
  (
    "a about all am an and any are as at be been but by can could did do does for from had has have he her here him " +
    "his how i if in into is it its just let like ll m may me might must my need no not of on or our out own please re " +
    "s she should so some such t than that the their them then there these they this those to too up us use used " +
    "using ve want was we were what when where which while who whom why will with would you your"
  ).split(" "),
);

/**
 * The stems of a text's words in order, without stop words; what the lexical half of an index compares.
 *
 * @param keeps asked for each word (not its stem); all are kept when absent
 */
export function stemWords(text: string, keeps?: (word: string) => boolean): string[] {
  const stems: string[] = [];
  for (const word of splitWords(text)) {
    if (!stopWords.has(word) && (keeps === undefined || keeps(word))) stems.push(stem(word));
  }
  return stems;
}

/** A word without its English ending of number or tense: `searches`, `searching` and `searched` are `search`. */
export function stem(word: string): string {
  if (word.length < 4 || word.charCodeAt(0) < 97 || word.charCodeAt(0) > 122) return word;
  const singular = withoutPlural(word);
  const root = withoutTense(singular);
  if (root.length > 3 && root.endsWith("e")) return root.slice(0, -1);
  return root.length > 2 && root.endsWith("y") ? `${root.slice(0, -1)}i` : root;
}

function withoutPlural(word: string): string {
  if (!word.endsWith("s") || /(ss|us|is)$/.test(word)) return word;
  if (word.endsWith("ies")) return word.length > 4 ? `${word.slice(0, -3)}y` : word.slice(0, -1);
  return /(ss|x|z|ch|sh)es$/.test(word) ? word.slice(0, -2) : word.slice(0, -1);
}

function withoutTense(word: string): string {
  const root = word.endsWith("ing") ? word.slice(0, -3) : word.endsWith("ed") ? word.slice(0, -2) : word;
  if (root === word || root.length < 3 || !/[aeiouy]/.test(root)) return word;
  const isDoubled = root.at(-1) === root.at(-2) && /[bdgmnprt]$/.test(root);
  return isDoubled ? root.slice(0, -1) : root;
}
