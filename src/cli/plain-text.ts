/**
 * Words of others as they may be shown at a terminal and in the log of a build: one line, in which nothing is invisible or
 * turns the direction of reading, no escape reaches the terminal, and nothing is a command to Azure's or GitHub's runner.
 */
export function plainText(words: string): string {
  return words
    .replace(/[\t\n\r\u2028\u2029]+/g, " ")
    .replace(unseen, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(runnerCommand, "# #");
}

/** JSON of a value, with escapes in place of what would play with a terminal or a runner. It parses to the same. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
    .replace(unseenInJson, escaped)
    .replace(runnerCommand, (both) => both.replace("##", "#\\u0023"));
}

/** Control and format characters, lone surrogates. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

// The line ends and indents of the JSON itself are none of a string's.
const unseenInJson = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** `##vso[…]` and `##[…]`, which runners look for anywhere in a line. */
const runnerCommand = /##(?=\w*\[)/g;

function escaped(characters: string): string {
  return Array.from({ length: characters.length }, (_, at) => {
    const unit = characters.charCodeAt(at).toString(16);
    return `\\u${unit.padStart(4, "0")}`;
  }).join("");
}
