import type { SpanEdit, StreamWindow, TextSpan } from "./define-guardrail.ts";
import type { Frame } from "./exchange.ts";

/** A frame that waits until all of its texts are judged. */
export interface HeldFrame {
  readonly frame: Frame;
  readonly spans: readonly TextSpan[];
  /** Edits of `spans` that are final. */
  readonly edits: SpanEdit[];
  /** Texts of this frame that are not judged to their end. */
  waiting: number;
  readonly channels: Set<WindowChannel>;
}

/** How a channel is judged: in its course, or up to the last character it has so far. */
export type JudgeExtent = "course" | "all";

/**
 * One text that arrives in pieces, and the frames that carry them. Offsets count UTF-16 units from the channel's begin.
 *
 * In its course the last `overlap` units stay open, since a match may go on in the next piece; judged again with it,
 * every match that is no longer than the overlap is seen whole, at the same place as in the whole text.
 */
export interface WindowChannel {
  readonly place: string;
  /** True when a whole window is there to be judged. */
  readonly isFull: boolean;
  /** True when some text is not final. */
  readonly isOpen: boolean;
  push(held: HeldFrame, span: number, text: TextSpan): void;
  /** What the guardrail is asked about now. */
  question(extent: JudgeExtent): TextSpan;
  /** Takes the answer to that question: makes what is settled final and hands the edits to the frames. */
  settle(question: TextSpan, edits: readonly SpanEdit[], extent: JudgeExtent): void;
}

interface Piece {
  readonly held: HeldFrame;
  readonly span: number;
  readonly start: number;
  readonly end: number;
}

/** How far a border is moved back at most so that it falls behind a white space: longer than nearly every word. */
const wordUnits = 64;

/** An empty channel. */
export function createWindowChannel(first: TextSpan, window: StreamWindow): WindowChannel {
  let text = "";
  /** Offset of `text[0]`. It lies before `finalTo` when released text is kept as the context of what follows. */
  let from = 0;
  let finalTo = 0;
  let pieces: Piece[] = [];
  // A window without overlap is taken as it is: such a guardrail looks at no words.
  const reach = Math.min(wordUnits, window.overlap);

  const hand = (edit: SpanEdit): void => {
    const start = edit.start + from;
    const end = edit.end + from;
    let { replacement } = edit;
    for (const piece of pieces) {
      const pieceStart = Math.max(start, piece.start);
      const pieceEnd = Math.min(end, piece.end);
      const inserts = start === end && start >= piece.start && start < piece.end && replacement !== "";
      if (pieceStart >= pieceEnd && !inserts) continue;
      piece.held.edits.push({
        span: piece.span,
        start: pieceStart - piece.start,
        end: pieceEnd - piece.start,
        replacement,
      });
      replacement = "";
    }
  };

  const finish = (to: number): void => {
    const done = pieces.findIndex((piece) => piece.end > to);
    const finished = done < 0 ? pieces : pieces.slice(0, done);
    for (const piece of finished) piece.held.waiting -= 1;
    pieces = done < 0 ? [] : pieces.slice(done);
    finalTo = to;
  };

  return {
    place: first.place,
    get isFull() {
      return text.length >= window.size;
    },
    get isOpen() {
      return from + text.length > finalTo;
    },
    push(held, span, piece) {
      const start = from + text.length;
      text += piece.text;
      pieces.push({ held, span, start, end: start + piece.text.length });
      held.waiting += 1;
      held.channels.add(this);
    },
    question(extent) {
      const length = extent === "all" ? text.length : borderBefore(text, text.length, window.overlap, reach);
      const part = { from, goesOn: extent === "course" };
      return { place: first.place, author: first.author, text: text.slice(0, length), part };
    },
    settle(question, edits, extent) {
      const judged = question.text.length;
      let settled = extent === "all" ? judged : borderBefore(text, judged - window.overlap, 0, reach);
      for (const edit of edits) {
        if (edit.start < settled) settled = Math.max(settled, edit.end);
      }
      for (const edit of edits) {
        const isReleased = edit.start === edit.end ? edit.start + from < finalTo : edit.end + from <= finalTo;
        if (edit.start < settled && !isReleased) hand(edit);
      }
      finish(Math.max(finalTo, from + settled));
      const keptFrom = extent === "all" ? Math.max(0, settled - window.overlap) : settled;
      text = text.slice(keptFrom);
      from += keptFrom;
    },
  };
}

/**
 * The last place at or before `at`, and behind `least`, that follows white space, so that no word is cut by a window's
 * border and taken for another; `at` itself when none is near, but never inside of a surrogate pair.
 */
function borderBefore(text: string, at: number, least: number, reach: number): number {
  const nearest = at - Math.min(reach, Math.max(0, at - least - 1)); // one unit at least is settled each time
  for (let border = at; border > nearest; border -= 1) {
    if (/\s/.test(text[border - 1] ?? "")) return border;
  }
  const splitsPair = /[\uD800-\uDBFF]/.test(text[at - 1] ?? "") && /[\uDC00-\uDFFF]/.test(text[at] ?? "");
  return splitsPair ? at - 1 : at;
}
