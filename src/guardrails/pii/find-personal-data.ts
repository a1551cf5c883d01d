import type { Finding } from "../text/find-in-parts.ts";
import type { ReadableText } from "../text/read-text.ts";
import { readText } from "../text/read-text.ts";
import { findEmails } from "./email.ts";
import { findNumbers } from "./find-numbers.ts";
import type { Recogniser } from "./recogniser.ts";

/** A kind of personal data, and what is to be done with it. */
export interface Kind<Action> {
  /** As rows and assessments name it. */
  readonly id: string;
  /** Names it in placeholders. */
  readonly label: string;
  readonly action: Action;
}

export interface PersonalData<Action> extends Finding {
  readonly kind: Kind<Action>;
}

/** What is looked for. */
export interface Wanted<Action> {
  readonly email?: Action | undefined;
  /** In the order of their rank. */
  readonly numbers: readonly { readonly recogniser: Recogniser; readonly action: Action }[];
  /** Kinds found by other means, behind all others in rank. */
  readonly others: readonly { readonly kind: Kind<Action>; readonly find: (text: string) => readonly Finding[] }[];
}

/** Finds personal data in texts: in order, without overlaps, in the offsets of the text that was given. */
export function personalDataFinder<Action>(wanted: Wanted<Action>): (text: string) => readonly PersonalData<Action>[] {
  const { email, numbers, others } = wanted;
  const emailKind = email === undefined ? undefined : { id: "email", label: "EMAIL", action: email };
  const recognisers = numbers.map(({ recogniser }) => recogniser);
  const kinds = new Map(numbers.map(({ recogniser: { id, label }, action }) => [id, { id, label, action }]));
  return (original) => {
    const readable = readText(original);
    const found: PersonalData<Action>[] = [];
    if (emailKind !== undefined) for (const each of findEmails(readable.text)) found.push({ ...each, kind: emailKind });
    if (recognisers.length > 0) {
      for (const { start, end, recogniser } of findNumbers(readable.text, recognisers)) {
        const kind = kinds.get(recogniser.id);
        if (kind !== undefined) found.push({ start, end, kind });
      }
    }
    const all = inOriginal(found, readable);
    for (const { kind, find } of others) for (const each of find(original)) all.push({ ...each, kind });
    return inOrder(all);
  };
}

function inOriginal<Action>(found: readonly PersonalData<Action>[], { origin }: ReadableText): PersonalData<Action>[] {
  return found.map((each) => ({ ...each, start: origin(each.start), end: origin(each.end) }));
}

/** By place; of two that overlap, the one that was found first. */
function inOrder<Action>(found: readonly PersonalData<Action>[]): readonly PersonalData<Action>[] {
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
