import { withoutHidden } from "./hidden-characters.ts";
import { foldLookalikes } from "./plain-words.ts";

/**
 * What is deceptive about names that stand in one list: one that mixes scripts whose letters look alike, or two that differ
 * only in case, hidden characters, letters that look alike or signs between words. Undefined where nothing is.
 */
export function findConfusable(names: readonly string[]): "mixed scripts" | "names that look alike" | undefined {
  const seen = new Map<string, string>();
  for (const name of names) {
    const folded = foldLookalikes(withoutHidden(name).normalize("NFKC").toLowerCase());
    if (folded !== foldPlain(name)) return "mixed scripts";
    const skeleton = folded.replace(/[1l|]/g, "i").replace(/0/g, "o").replace(/rn/g, "m");
    const same = seen.get(skeleton);
    if (same !== undefined && same !== name) return "names that look alike";
    seen.set(skeleton, name);
  }
  return undefined;
}

function foldPlain(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
