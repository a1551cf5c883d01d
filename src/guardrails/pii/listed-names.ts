import type { Finding } from "../text/find-in-parts.ts";

/**
 * Finds the names of a list, whole words in any case, the longest that fits. One pass over the text, whatever the length of
 * the list.
 */
export function nameFinder(names: readonly string[]): (text: string) => readonly Finding[] {
  const byFirst = Map.groupBy(
    names.map(wordsOf).filter(({ length }) => length > 0),
    ([first = ""]) => first,
  );
  for (const group of byFirst.values()) group.sort((left, right) => right.length - left.length);
  return (text) => {
    const found: Finding[] = [];
    const words = [...text.matchAll(word)];
    for (let index = 0; index < words.length; index += 1) {
      const length = (byFirst.get(folded(words[index]?.[0] ?? "")) ?? []).find((name) =>
        stands(name, words, index),
      )?.length;
      if (length === undefined) continue;
      const last = words[index + length - 1];
      found.push({ start: words[index]?.index ?? 0, end: (last?.index ?? 0) + (last?.[0].length ?? 0) });
      index += length - 1;
    }
    return found;
  };
}

const word = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;

function wordsOf(name: string): readonly string[] {
  return Array.from(name.matchAll(word), ([each]) => folded(each));
}

function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function stands(name: readonly string[], words: readonly RegExpExecArray[], at: number): boolean {
  return name.every((each, offset) => {
    const found = words[at + offset];
    const before = words[at + offset - 1];
    if (found === undefined || folded(found[0]) !== each) return false;
    return offset === 0 || before === undefined || found.index - before.index - before[0].length <= 3;
  });
}
