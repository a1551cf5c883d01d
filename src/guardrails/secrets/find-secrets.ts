import type { Finding } from "../text/find-in-parts.ts";
import { readText } from "../text/read-text.ts";
import { findAssigned } from "./assigned-secrets.ts";
import { findPrivateKeys } from "./private-keys.ts";
import { isPlaceholder } from "./randomness.ts";
import type { SecretShape } from "./secret-shapes.ts";
import { tokenHint, tokenShapes } from "./token-shapes.ts";
import { findUrlCredentials } from "./url-credentials.ts";

export interface FoundSecret extends Finding {
  /** As rows and assessments name it. */
  readonly kind: string;
}

/** All kinds of secrets. Where a text could be several of them, it is the first. */
export const secretKinds: readonly string[] = [
  "private-key",
  ...tokenShapes.map(({ id }) => id),
  "url-password",
  "assigned-secret",
];

export interface SecretsWanted {
  readonly kinds: ReadonlySet<string>;
  /** Values that are none, though they look like secrets. */
  readonly allowed: ReadonlySet<string>;
  /** Bits of entropy a character that a value beside a telling name must have. */
  readonly minBits: number;
}

/** Finds secrets in texts: in order, without overlaps, in the offsets of the text that was given. Linear in the text. */
export function secretFinder({ kinds, allowed, minBits }: SecretsWanted): (text: string) => readonly FoundSecret[] {
  const shapes = tokenShapes.filter(({ id }) => kinds.has(id));
  return (original) => {
    const { text, origin } = readText(original);
    const found: FoundSecret[] = [];
    const add = (kind: string, findings: readonly Finding[]): void => {
      for (const each of findings) found.push({ ...each, kind });
    };
    if (kinds.has("private-key")) add("private-key", findPrivateKeys(text));
    for (const run of longRuns(text)) for (const shape of shapes) found.push(...inRun(run, shape));
    if (kinds.has("url-password")) add("url-password", findUrlCredentials(text));
    if (kinds.has("assigned-secret")) add("assigned-secret", findAssigned(text, minBits));
    return inOrder(found.filter(({ start, end }) => !isAllowed(text.slice(start, end), allowed))).map((each) => ({
      ...each,
      start: origin(each.start),
      end: origin(each.end),
    }));
  };
}

function inRun({ start, text }: Run, { id, pattern, isSound }: SecretShape): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (isSound?.(match[0]) !== true && isPlaceholder(match[0])) continue;
    found.push({ kind: id, start: start + match.index, end: start + pattern.lastIndex });
  }
  return found;
}

interface Run {
  readonly start: number;
  readonly text: string;
}

/**
 * The runs of 16 and more characters of which tokens are made, where they hold something of one. Of the text only every
 * 16th character is looked at, and the words in which those stand.
 */
function* longRuns(text: string): Generator<Run> {
  let done = 0;
  for (let at = leastUnits - 1; at < text.length; ) {
    let start = at + 1;
    while (start > done && isPart(text.charCodeAt(start - 1))) start -= 1;
    let end = at + 1;
    if (start <= at) while (end < text.length && isPart(text.charCodeAt(end))) end += 1;
    const run = end - start < leastUnits ? "" : text.slice(start, end);
    if (tokenHint.test(run)) yield { start, text: run };
    done = end;
    at = end + leastUnits - 1;
  }
}

const leastUnits = 16;

/** Of ASCII, which characters are part of tokens. */
const parts = Uint8Array.from({ length: 128 }, (_, code) => Number(/[\w.~:/+=%?&-]/.test(String.fromCharCode(code))));

function isPart(code: number): boolean {
  return code < 128 && parts[code] === 1;
}

/** What documents show as an example, over and over. */
const examples: ReadonlySet<string> = new Set([
  "AKIAIOSFODNN7EXAMPLE",
  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
]);

function isAllowed(secret: string, allowed: ReadonlySet<string>): boolean {
  return examples.has(secret) || allowed.has(secret);
}

function inOrder(found: readonly FoundSecret[]): readonly FoundSecret[] {
  if (found.length < 2) return found;
  const ranked = found.map((each, rank) => ({ each, rank }));
  ranked.sort((left, right) => left.each.start - right.each.start || left.rank - right.rank);
  const kept: typeof ranked = [];
  for (const next of ranked) {
    const last = kept.at(-1);
    if (last === undefined || last.each.end <= next.each.start) kept.push(next);
    else if (next.rank < last.rank) kept[kept.length - 1] = next;
  }
  return kept.map(({ each }) => each);
}
