const leastUnits = 24;
const mostUnits = 300;
const wholeUnits = 1_200;

/**
 * The pieces of a text by which its meaning is judged, so that one sentence of a long text counts as much as a short text:
 * each sentence or line, each two that follow one another, and the whole where it is short. Sentences of a few characters
 * are joined with what follows, long ones cut. At most two pieces for each 24 characters, and two; none of an empty text.
 */
export function splitPassages(text: string): readonly string[] {
  const sentences = splitSentences(text);
  const pairs = sentences.slice(1).map((sentence, at) => `${sentences[at]} ${sentence}`);
  if (sentences.length < 3 || text.length > wholeUnits) return [...sentences, ...pairs];
  return [...sentences, ...pairs, text];
}

function splitSentences(text: string): readonly string[] {
  const sentences: string[] = [];
  let held = "";
  for (const [piece] of text.matchAll(/[^.!?\n。！？।]{1,300}[.!?\n。！？।]?|[.!?\n。！？।]/g)) {
    held += piece;
    if (held.length < leastUnits) continue;
    sentences.push(held.trim());
    held = "";
  }
  if (held.trim() !== "") {
    const last = sentences.at(-1);
    const joined = last === undefined ? held.trim() : `${last} ${held.trim()}`;
    if (last === undefined || joined.length > mostUnits + leastUnits) sentences.push(held.trim());
    else sentences[sentences.length - 1] = joined;
  }
  return sentences.filter((sentence) => sentence !== "");
}
