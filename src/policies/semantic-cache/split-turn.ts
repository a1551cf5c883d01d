/** Words of a piece: in a longer one, another word that changes everything would hardly change the meaning. */
const mostWords = 20;

/**
 * What somebody says, cut into pieces that can each be compared by meaning: sentences and lines, and parts of those that
 * are long. Joined again they are the text, but for space around them. None is empty.
 */
export function splitTurn(text: string): readonly string[] {
  return text.split(/(?<=[.!?。！？])\s+|\n+/u).flatMap(cut);
}

function cut(sentence: string): readonly string[] {
  const words = sentence.split(/\s+/u).filter((word) => word !== "");
  const count = Math.ceil(words.length / mostWords);
  const size = Math.ceil(words.length / Math.max(count, 1));
  return Array.from({ length: count }, (_, at) => words.slice(at * size, (at + 1) * size).join(" "));
}
