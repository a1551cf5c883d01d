import { hash } from "node:crypto";
import { splitWords } from "../../embedding/split-words.ts";
import type { Question } from "../../pipeline/answer-keeping.ts";
import { splitTurn } from "./split-turn.ts";

/** A question as it is looked for. */
export interface QuestionKeys {
  /** Of all that is asked. */
  readonly exact: string;
  /** Of what must be equal where the words need only mean the same; undefined where meaning cannot be compared. */
  readonly group: string | undefined;
  /** The user's words that are compared by meaning, in order, piece by piece. */
  readonly compared: readonly string[];
}

/** Characters of a turn from which on it must be equal: what is so long is a text to work on, not a question. */
export const longestCompared = 4_000;

export interface KeyRules {
  /** What else parts one question from another: API, environment, caller, headers. */
  readonly domain: readonly unknown[];
  /** How many turns are compared by meaning, the last ones. */
  readonly mostTurns: number;
  /** Of the embedder; see there. */
  readonly isBagOfWords: boolean;
}

/**
 * The keys of a question. Where words are compared, these must be equal all the same: words with a digit, for to a model
 * of meaning 2023 is very like 2024; signs as in `a > b`; how often something is negated; and what the model does not see.
 */
export function questionKeys({ frame, turns }: Question, { domain, mostTurns, isBagOfWords }: KeyRules): QuestionKeys {
  const begin = `${JSON.stringify(domain)}\n${hash("sha256", frame, "base64url")}\n`;
  const exact = hash("sha256", `${begin}=${JSON.stringify(turns)}`, "base64url");
  const texts = turns.map((parts) => parts.join("\n\n"));
  const from = Math.max(0, texts.length - mostTurns);
  const isCompared = texts.map((text, at) => at >= from && text.trim() !== "");
  if (!isCompared.includes(true) || texts.some((text, at) => isCompared[at] && text.length > longestCompared))
    return { exact, group: undefined, compared: [] };
  const pieces = texts.map((text, at) => (isCompared[at] ? splitTurn(text) : []));
  const equal = texts.map((text, at) =>
    isCompared[at] ? [pieces[at]?.length, ...telling(text), ...(isBagOfWords ? unseen(text) : [])] : text,
  );
  return { exact, group: hash("sha256", `${begin}~${JSON.stringify(equal)}`, "base64url"), compared: pieces.flat() };
}

// Whole words first and what is in them second, so that no text takes more than one look at each character.
function telling(text: string): readonly string[] {
  const lower = text.toLowerCase();
  const words = lower.match(/[\p{L}\p{N}_.:/@#%+-]+/gu) ?? [];
  const numbers = words.filter((word) => /\p{N}/u.test(word)).map((word) => word.replace(/[.:-]+$/, ""));
  const signs = text.match(/[<>=+*^|&~%#@$€£¥]/gu) ?? [];
  const negated = splitWords(lower).filter((word) => negations.has(word)).length;
  const contracted = lower.match(/n['’]t\b/g)?.length ?? 0;
  return [...numbers, signs.join(""), `not ${negated + contracted}`];
}

function unseen(text: string): readonly string[] {
  return text.toLowerCase().match(/[^\p{Script=Latin}\p{N}\p{P}\p{M}\s]+/gu) ?? [];
}

/** In the languages that most requests come in. */
const negations: ReadonlySet<string> = new Set(
  (
    "no not never none nobody nothing neither nor without cannot " +
    "nicht kein keine keinen keinem keiner nie niemals ohne nichts " +
    "pas non jamais sans rien aucun aucune " +
    "nunca jamas ningun ninguna sin nada nao sem nenhum " +
    "mai senza nessuno niet geen nooit zonder inte ikke aldrig utan uden"
  ).split(" "),
);
