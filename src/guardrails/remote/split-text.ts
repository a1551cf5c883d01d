/**
 * The text in pieces of at most `most` UTF-16 units, each beginning with the last `overlap` of the one before; behind
 * white space where there is some near, and never inside of a surrogate pair.
 */
export function splitText(text: string, most: number, overlap: number): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > most) {
    const end = borderBefore(text, start + most, start + most - overlap);
    pieces.push(text.slice(start, end));
    start = borderBefore(text, Math.max(start + 1, end - overlap), Math.max(start + 1, end - 2 * overlap));
  }
  pieces.push(text.slice(start));
  return pieces;
}

function borderBefore(text: string, at: number, least: number): number {
  for (let border = at; border > least; border -= 1) if (/\s/.test(text.charAt(border - 1))) return border;
  const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(at - 1)) && /[\uDC00-\uDFFF]/.test(text.charAt(at));
  return splitsPair ? at - 1 : at;
}
