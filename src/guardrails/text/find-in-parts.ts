import type { TextSpan } from "../../pipeline/define-guardrail.ts";

/** What was found in a text: `[start, end)` in UTF-16 units. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  /** What goes on with it when it is longer than a stream shows at once: sticky. Anything but delimiters when absent. */
  readonly tail?: RegExp;
  /** Set for the rest of a finding whose begin was told before. */
  readonly isRest?: true;
}

/** What is remembered of the streamed texts of an operation, by their places. */
export type PartMemory = Map<string, SeenPart>;

interface SeenPart {
  readonly from: number;
  readonly text: string;
  readonly open: OpenFinding | undefined;
}

interface OpenFinding {
  /** Where it has come to, from the channel's begin. */
  readonly end: number;
  readonly finding: Finding;
}

/** Released text that is looked at again as what stands before: words that give a number its meaning, and borders. */
const contextUnits = 96;

/** What may follow a match and make another of it: an extension, a group of digits. */
const lookaheadUnits = 16;

/**
 * The findings of one text, in its own offsets. Of a whole text, those of `find`. Of a part of a stream, those that it
 * would have of the whole, whatever the cut: what stands before is remembered, what may go on waits for the next part.
 * Only what is longer than `overlap` less 16 is told in pieces: a begin, then the rests.
 */
export function findInParts<Found extends Finding>(
  { place, text, part }: TextSpan,
  memory: PartMemory,
  overlap: number,
  find: (text: string) => readonly Found[],
): readonly Found[] {
  if (part === undefined) return find(text);
  const seen = memory.get(place);
  const before = seen === undefined ? "" : contextOf(seen, part.from);
  const rest = seen?.open === undefined ? undefined : restOf<Found>(seen.open, part.from, before, text);
  const settledTo = rest?.end ?? 0;
  const found: Found[] = rest === undefined ? [] : [rest];
  let open = rest !== undefined && part.goesOn && rest.end === text.length ? rest : undefined;
  for (const each of find(before + text)) {
    const start = Math.max(each.start - before.length, settledTo);
    const end = each.end - before.length;
    if (end <= start) continue;
    const isOpen = part.goesOn && end > text.length - lookaheadUnits;
    if (isOpen && start >= text.length - overlap) continue; // seen whole by the next part
    const reach = isOpen ? end + tailLength(each, text, end) : end;
    const own = { ...each, start, end: reach === text.length ? reach : end };
    found.push(own);
    if (isOpen && reach === text.length) open = own;
  }
  memory.set(place, {
    from: part.from,
    text,
    open: open === undefined ? undefined : { end: part.from + text.length, finding: open },
  });
  return found;
}

function contextOf({ from, text }: SeenPart, next: number): string {
  const length = Math.max(0, next - from);
  return text.slice(Math.max(0, length - contextUnits), length);
}

/**
 * What of the text still belongs to the finding. Its begin was let stand if the next part begins where it had come to. It
 * is read from the context on, all of which is its own: so an end that lies across the cut is seen.
 */
function restOf<Found extends Finding>(
  { end, finding }: OpenFinding,
  from: number,
  before: string,
  text: string,
): Found | undefined {
  const length = end === from ? tailLength(finding, before + text, 0) - before.length : 0;
  // It differs from the begin's finding only in what `Finding` declares.
  return length <= 0 ? undefined : ({ ...finding, start: 0, end: length, isRest: true } as unknown as Found);
}

function tailLength({ tail = anyTail }: Finding, text: string, from: number): number {
  tail.lastIndex = from;
  return tail.exec(text)?.[0].length ?? 0;
}

/** Up to a delimiter; signs that end sentences are one before a blank. */
const anyTail = /(?:[^\s"'<>()[\]{},;.!?]|[.!?](?=\S|$))*/y;
