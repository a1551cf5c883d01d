import { withoutHidden } from "./hidden-characters.ts";

/** Stand in the place of what patterns ask for by its kind. */
export const urlWord = "urlurl";
export const mailWord = "mailmail";
export const fileWord = "secretfile";

/**
 * A text as a pattern over words reads it: lower case, one space between words, ` . ` where a sentence or line ends; hidden
 * characters gone, letters that look like Latin ones in a Latin word made Latin, s p a c e d letters joined; addresses, and
 * paths of files that hold secrets, each one word of their kind. Linear in the text.
 */
export function plainWords(text: string): string {
  const visible = withoutHidden(text).normalize("NFKC");
  const named = visible
    .replace(/\bhttps?:\/\/[^\s"'<>)]{1,2000}/gi, ` ${urlWord} `)
    .replace(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g, ` ${mailWord} `)
    .replace(secretFile, ` ${fileWord} `);
  const folded = foldLookalikes(named.toLowerCase());
  const words = folded
    .replace(/['’`]/g, "")
    .replace(/[.!?;:。！？।\n\r]+(?=\s|$)|[。！？।]|\n/g, " . ")
    .replace(/[^\p{L}\p{M}\p{N}.]+|\.(?=\S)/gu, " ")
    .replace(/\s+/g, " ");
  return joinSpaced(` ${words} `.replace(/\s+/g, " "));
}

/** Places where people keep what nobody else may read. */
const secretFile =
  /(?:~|\/home\/\w{1,32}|\$HOME|\/root)?\/?\.(?:ssh\/[\w.-]{1,64}|aws\/credentials|netrc|npmrc|pgpass|git-credentials|kube\/config|docker\/config\.json|cursor\/mcp\.json|env(?:\.\w{1,20})?)(?![\w/])|\/etc\/(?:passwd|shadow|sudoers)\b|\bid_(?:rsa|ed25519|ecdsa)\b|\b(?:mcp|claude_desktop_config|credentials)\.json\b/g;

/** Cyrillic and Greek letters that look like Latin ones, where a word mixes scripts. */
const lookalikes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    а: "a",
    в: "b",
    с: "c",
    ԁ: "d",
    е: "e",
    һ: "h",
    і: "i",
    ј: "j",
    к: "k",
    ӏ: "l",
    м: "m",
    н: "h",
    о: "o",
    р: "p",
    ԛ: "q",
    ѕ: "s",
    т: "t",
    у: "y",
    ѵ: "v",
    ԝ: "w",
    х: "x",
    α: "a",
    ε: "e",
    ι: "i",
    κ: "k",
    ν: "v",
    ο: "o",
    ρ: "p",
    τ: "t",
    υ: "u",
    χ: "x",
    ı: "i",
    ɡ: "g",
    ո: "n",
    օ: "o",
    ց: "g",
  }),
);

const mixed = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}ıɡ]/u;

/** Letters that look like Latin ones made Latin, in words that also have Latin ones. Of a lower-case text. */
export function foldLookalikes(text: string): string {
  if (!mixed.test(text)) return text;
  return text.replace(/[\p{L}\p{N}]+/gu, (word) =>
    /[a-z]/.test(word) && mixed.test(word)
      ? Array.from(word, (letter) => lookalikes.get(letter) ?? letter).join("")
      : word,
  );
}

/** Five single letters in a row are a word that somebody has taken apart. */
function joinSpaced(words: string): string {
  return words.replace(/ (?:\p{L} ){5,200}/gu, (run) => ` ${run.replaceAll(" ", "")} `);
}
