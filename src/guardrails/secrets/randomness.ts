/** Whether a value only stands for one: an example, a variable, dots and stars. */
export function isPlaceholder(value: string): boolean {
  return placeholder.test(value) || isMonotonous(value);
}

const placeholder =
  /x{5}|\*{3}|\.{3}|…|^\$|\$\{|%\(|\{\{|<|^(?:process|os|env|config|settings|self|this|vars|secrets|params|args|req|request)\.|example|placeholder|changeme|change[-_]me|your[-_]?|dummy|sample|insert[-_]|redacted|^(?:null|none|true|false|undefined|string|required|optional|test)$|:\/\//i;

/** A few characters again and again, or a row of the alphabet. */
function isMonotonous(value: string): boolean {
  const body = value.slice(-24);
  if (body.length >= 12 && new Set(body).size <= 4) return true;
  return /0123456789|1234567890|abcdefghij/i.test(value);
}

/**
 * Whether a text looks random: 16 characters or more, letters and digits, at least `minBits` bits of Shannon entropy a
 * character, and no words joined by dashes or underscores.
 */
export function looksRandom(text: string, minBits: number): boolean {
  if (text.length < 16 || !/\d/.test(text) || !/[A-Za-z]/.test(text)) return false;
  if (/^(?:[a-z]+[-_./])+[a-z]*\d*$/i.test(text)) return false;
  return entropyOf(text.slice(0, 128)) >= minBits;
}

/** Shannon's entropy of the characters of a text, in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
