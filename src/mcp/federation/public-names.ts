import { createHash } from "node:crypto";

/** The longest name that APIs of models take. */
export const longestName = 64;

const digits = 10;

/**
 * What a tool is called under a prefix. A name of more than 64 characters keeps its beginning, and a hash of the whole
 * stands for the rest: the same for the same name always, and another for another one. What it stands for is found by
 * making the names of all that is there, so no table is kept.
 */
export function publicName(prefix: string, name: string): string {
  const whole = prefix + name;
  if (whole.length <= longestName) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, digits);
  const kept = Array.from(whole);
  let start = "";
  for (const character of kept) {
    if (start.length + character.length > longestName - digits - 1) break;
    start += character;
  }
  return `${start}_${hash}`;
}

/** Whether the name, or one that looks like it, is the gateway's own. */
export function isReservedName(name: string): boolean {
  return reserved.has(foldName(name));
}

/** The form in which names are equal that a person or a model takes for the same: case, width, accents, look-alikes. */
export function foldName(name: string): string {
  const plain = name
    .toLowerCase()
    .normalize("NFKD")
    .replaceAll(/[\p{Cf}\p{M}]/gu, "")
    .toLowerCase();
  return Array.from(plain, (character) => lookAlikes.get(character) ?? character).join("");
}

// Letters of other scripts that are drawn like Latin ones, and digits like letters (Unicode TS #39, confusables.txt).
const lookAlikes: ReadonlyMap<string, string> = new Map(
  (
    [
      ["a", "аα"],
      ["b", "Ьь"],
      ["c", "сϲ"],
      ["d", "ԁ"],
      ["e", "еє"],
      ["g", "ɡ"],
      ["h", "һ"],
      ["i", "іιı"],
      ["j", "ј"],
      ["k", "κк"],
      ["l", "1ӏ|"],
      ["m", "м"],
      ["n", "ո"],
      ["o", "0оοօ"],
      ["p", "рρ"],
      ["q", "ԛ"],
      ["s", "ѕ"],
      ["t", "тτ"],
      ["u", "υս"],
      ["v", "ν"],
      ["w", "ԝ"],
      ["x", "хχ"],
      ["y", "уγ"],
      ["_", "-.‐‑–"],
    ] as const
  ).flatMap(([latin, others]) => Array.from(others, (other): [string, string] => [other, latin])),
);

/** Names that are the gateway's own, in the form that `foldName` gives. */
const reserved: ReadonlySet<string> = new Set(["search_tools", "call_tool"].map(foldName));
