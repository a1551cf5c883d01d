import type { CompiledCapture } from "./compile-capture.ts";
import type { TextSpan } from "./define-guardrail.ts";

/** Units of text beyond what is kept that are looked at: longer than what is known by its form. */
const marginUnits = 4_096;
/** Texts of one message that are kept; most have few. */
const mostTexts = 500;
const longestPlace = 200;

/** Texts of one message, or of one stream, that may be kept. */
export interface CollectedTexts {
  /** Adds what follows. `joins`: texts of equal places are pieces of one. */
  add(spans: readonly TextSpan[], joins: boolean): void;
  /** Whether more would change nothing. */
  readonly isFull: boolean;
  /** Whether something was left out. */
  readonly isCut: boolean;
  /** Whether pieces were put together. */
  readonly joined: boolean;
  readonly texts: readonly Collected[];
}

interface Collected {
  readonly place: string;
  readonly name: string;
  readonly author: string;
  text: string;
}

/** Collects texts in their order, as many as may be kept and what has to be looked at beyond. */
export function collectTexts(textBytes: number): CollectedTexts {
  const texts: Collected[] = [];
  const byPlace = new Map<string, Collected>();
  let leftUnits = textBytes + marginUnits; // a unit has a byte at least
  let isCut = false;
  let joined = false;
  return {
    add(spans, joins) {
      if (joins) joined = true;
      for (const span of spans) {
        const known = joins ? byPlace.get(span.place) : undefined;
        const isFull = leftUnits <= 0 || (known === undefined && texts.length >= mostTexts);
        if (isFull || span.text.length > leftUnits) isCut = true;
        if (isFull) return;
        const text = span.text.slice(0, leftUnits);
        leftUnits -= text.length;
        if (known !== undefined) known.text += text;
        else {
          const fresh = { place: span.place, name: nameOf(span), author: span.author, text };
          texts.push(fresh);
          byPlace.set(span.place, fresh);
        }
      }
    },
    get isFull() {
      return leftUnits <= 0 || texts.length >= mostTexts;
    },
    get isCut() {
      return isCut;
    },
    get joined() {
      return joined;
    },
    texts,
  };
}

/** The texts of a request, the last first: in a conversation those are what is asked. What it is set up with comes behind. */
export function collectLastTexts(spans: readonly TextSpan[], textBytes: number): CollectedTexts {
  const collected = collectTexts(textBytes);
  const last = spans.toReversed();
  collected.add(
    last.filter(({ author }) => author !== "system"),
    false,
  );
  collected.add(
    last.filter(({ author }) => author === "system"),
    false,
  );
  return collected;
}

/** What a row keeps of texts. */
export interface KeptTexts {
  /** JSON: `[{place, author, text}]`. */
  readonly json: string;
  readonly isCut: boolean;
  readonly redactions: number;
}

/** The texts without what is taken out, within the bytes that may be kept. Throws when one cannot be redacted. */
export function keepTexts({ texts, isCut, joined }: CollectedTexts, { redact, textBytes }: CompiledCapture): KeptTexts {
  const kept: { place: string; author: string; text: string }[] = [];
  const seen = new Set<string>();
  let left = textBytes;
  let redactions = 0;
  let isShort = isCut;
  for (const { place, name, author, text } of texts) {
    if (joined && seen.has(text)) continue; // some streams tell a text again where it ends
    seen.add(text);
    const keepUnits = unitsWithin(text, left);
    if (keepUnits < text.length) isShort = true;
    if (keepUnits === 0) continue;
    left -= Buffer.byteLength(text.slice(0, keepUnits));
    const told = redact({ text: text.slice(0, keepUnits + marginUnits), name, keepUnits });
    const where = redact({ text: place.slice(0, longestPlace), name: "", keepUnits: longestPlace });
    redactions += told.found + where.found;
    kept.push({ place: where.text, author, text: told.text });
  }
  return { json: JSON.stringify(kept), isCut: isShort, redactions };
}

/** How many units of the text have no more than so many bytes in UTF-8; no character is cut in two. */
function unitsWithin(text: string, bytes: number): number {
  if (text.length * 3 <= bytes || Buffer.byteLength(text) <= bytes) return text.length;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return read;
}

function nameOf({ path, place }: TextSpan): string {
  const name =
    path?.findLast((step) => typeof step === "string") ?? place.split(/[.[\]]/).findLast((word) => word !== "");
  return String(name ?? "").slice(0, longestPlace);
}
