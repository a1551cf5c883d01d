/** Longest encoded run that is decoded, in characters: what follows is not looked at. */
const longestRun = 100_000;

/**
 * What a text holds in base64, hex, percent signs or letters turned by 13, as far as it comes out as words. A payload within
 * a payload is not looked for.
 */
export function decodePayloads(text: string): readonly string[] {
  const decoded: string[] = [];
  for (const [run] of text.matchAll(base64Run)) add(decoded, Buffer.from(run.slice(0, longestRun), "base64"));
  for (const [run] of text.matchAll(hexRun)) {
    add(decoded, Buffer.from(run.slice(0, longestRun).replace(/\\x|0x|[\s,:]/g, ""), "hex"));
  }
  if (percentRun.test(text)) decoded.push(text.replace(/(?:%[0-9a-fA-F]{2})+/g, unescapePercent));
  if (saysTurned.test(text)) decoded.push(text.replace(/[a-z]/gi, turn));
  if (saysReversed.test(text)) decoded.push(text.split("").toReversed().join(""));
  return decoded;
}

const base64Run = /[A-Za-z0-9+/_-]{24,}={0,2}/g;
const hexRun = /(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s,:]?){16,}/g;
const percentRun = /(?:%[0-9a-fA-F]{2}[^%]{0,40}){4}/;
const saysTurned = /\brot-?13\b|\bcaesar\b|\bvtaber\b|\bcerivbhf\b|\bvafgehpgvba/i;
const saysReversed = /\bbackwards?\b|\breversed?\b|snoitcurtsni|suoiverp|erongi/i;

function add(decoded: string[], bytes: Buffer): void {
  const text = bytes.toString("utf8");
  const letters = text.match(/[\p{L} ]/gu)?.length ?? 0;
  if (text.length >= 12 && letters >= 0.8 * text.length && text.includes(" ")) decoded.push(text);
}

function unescapePercent(run: string): string {
  return Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8");
}

function turn(letter: string): string {
  const base = letter <= "Z" ? 65 : 97;
  return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
}
