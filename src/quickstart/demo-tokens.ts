/**
 * The tokens of the demonstration model: pieces of at most six characters with the white space before them. No
 * character is lost or cut, so the pieces joined are the text.
 */
export function demoTokens(text: string): readonly string[] {
  return text.match(/\s*\S{1,6}|\s+$/gu) ?? [];
}
