import { parseJson } from "../../kernel/parse-json.ts";
import type { Assessment, SpanEdit, StreamWindow, TextSpan, Verdict } from "../../pipeline/define-guardrail.ts";
import { defineGuardrail } from "../../pipeline/define-guardrail.ts";
import type { Finding, PartMemory } from "../text/find-in-parts.ts";
import { findInParts } from "../text/find-in-parts.ts";
import type { DoneAction } from "./compile-finder.ts";
import { compileFinder } from "./compile-finder.ts";
import type { PersonalData } from "./find-personal-data.ts";
import { piiConfig } from "./pii-config.ts";
import type { Placeholders } from "./placeholders.ts";
import { createPlaceholders, longestPlaceholder, meantByJson } from "./placeholders.ts";

/** Where answers are searched: the longest match that is found however a stream is cut, and what may follow it. */
const searchingWindow: StreamWindow = { size: 192, overlap: 128 };

/** Where they are only read for placeholders. */
const restoringWindow: StreamWindow = { size: 112, overlap: longestPlaceholder };

/**
 * Keeps personal data from models, tools and clients. What is masked in a request is a placeholder for the model and is put
 * back into the answer, streamed or not; what is said of it in rows are kinds and counts.
 */
export const pii = defineGuardrail({
  id: "pii",
  title: "Personal data",
  summary: "Masks, redacts or refuses personal data; what a request masks is restored in its answer.",
  config: piiConfig,
  examples: [
    {},
    { action: "off", entities: { email: "mask", phone: "mask", "credit-card": "block" }, phoneCountries: ["DE", "AT"] },
    {
      answers: { action: "redact" },
      custom: [{ name: "employee-number", pattern: "\\bE\\d{6}\\b", near: ["employee"] }],
    },
  ],
  onError: "deny",
  compile(config) {
    const request = compileFinder(config, "request");
    const response = compileFinder(config, "response");
    const { replacement } = config;
    const answersCount = request.masks || response.find !== undefined;
    const window = response.find === undefined ? restoringWindow : searchingWindow;
    return {
      phases: [
        ...(request.find === undefined ? [] : ["request" as const]),
        ...(answersCount ? ["response" as const] : []),
      ],
      window,
      search: {
        phases: [
          ...(request.find === undefined ? [] : ["request" as const]),
          ...(response.find === undefined ? [] : ["response" as const]),
        ],
        find(spans, phase): Searched {
          const { find } = phase === "request" ? request : response;
          return spans.map(({ text }) => find?.(text) ?? []);
        },
      },
      inspect(spans, phase, call, searched) {
        const kept = call.memory(() => nothingKept(spans));
        const known = searched as Searched | undefined; // of its own search
        if (phase === "request") return judge(inRequest(spans, knowing(request.find, known), kept, replacement), phase);
        return judge(inAnswer(spans, knowing(response.find, known), kept, replacement, window.overlap), phase);
      },
      passesStream: (call) => response.find === undefined && call.memory(() => nothingKept([])).placeholders.isEmpty,
    };
  },
});

/** What is remembered from a request to the end of its answer. */
interface Kept {
  readonly placeholders: Placeholders;
  readonly parts: PartMemory;
  /** Whether the streamed text of a place is JSON. */
  readonly json: Map<string, boolean>;
}

function nothingKept(spans: readonly TextSpan[]): Kept {
  return { placeholders: createPlaceholders(() => spans.map(textOf)), parts: new Map(), json: new Map() };
}

interface Found {
  readonly span: number;
  readonly start: number;
  readonly end: number;
  /** Undefined for what is restored. */
  readonly kind: PersonalData<DoneAction>["kind"] | undefined;
  /** Undefined for what stays. */
  readonly replacement: string | undefined;
  readonly isRest: boolean;
}

/** What each span holds. */
type Searched = readonly (readonly PersonalData<DoneAction>[])[];

/** What the span of that number holds, whose text it is. */
type Find = ((text: string, span: number) => readonly PersonalData<DoneAction>[]) | undefined;

function knowing(find: Find, searched: Searched | undefined): Find {
  if (find === undefined || searched === undefined) return find;
  return (text, span) => searched[span] ?? find(text, span);
}

function inRequest(spans: readonly TextSpan[], find: Find, { placeholders }: Kept, redacted: string): readonly Found[] {
  return spans.flatMap(({ text }, span) => {
    const found = find?.(text, span) ?? [];
    const isJson = found.length > 0 && isJsonText(text);
    return found.map(({ start, end, kind }) => {
      const value = text.slice(start, end);
      const masked =
        kind.action === "mask" ? placeholders.hide(kind.label, isJson ? meantByJson(value) : value) : undefined;
      return {
        span,
        start,
        end,
        kind,
        replacement: masked ?? (kind.action === "redact" ? redacted : undefined),
        isRest: false,
      };
    });
  });
}

interface InAnswer extends Finding {
  readonly kind?: PersonalData<DoneAction>["kind"];
  readonly replacement: string | undefined;
}

function inAnswer(
  spans: readonly TextSpan[],
  find: Find,
  { placeholders, parts, json }: Kept,
  redacted: string,
  overlap: number,
): readonly Found[] {
  return spans.flatMap((span, index) => {
    const streamed = span.part === undefined ? undefined : isJsonStream(span, json);
    const search = (text: string): readonly InAnswer[] => {
      const restored =
        text.includes("[") || text.includes("%5")
          ? placeholders.shown(text, () => streamed ?? isJsonText(span.text))
          : [];
      if (find === undefined) return restored;
      const own = find(text, index).filter(
        ({ start, end }) => !restored.some((each) => each.start < end && start < each.end),
      );
      return [...restored, ...own.map((each) => ({ ...each, replacement: inPlaceOf(each.kind, redacted) }))];
    };
    return findInParts(span, parts, overlap, search).map(({ start, end, kind, replacement, isRest }) => ({
      span: index,
      start,
      end,
      kind,
      replacement: isRest === true && replacement !== undefined ? "" : replacement,
      isRest: isRest === true,
    }));
  });
}

function inPlaceOf({ action, label }: { readonly action: DoneAction; readonly label: string }, redacted: string) {
  if (action === "mask") return `[${label}]`;
  return action === "redact" ? redacted : undefined;
}

function judge(found: readonly Found[], phase: "request" | "response"): Verdict {
  if (found.length === 0) return { type: "pass" };
  const counts: Record<string, number> = {};
  for (const { kind, isRest } of found) {
    if (kind !== undefined && !isRest) counts[kind.id] = (counts[kind.id] ?? 0) + 1;
  }
  const kinds = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`);
  const told =
    kinds.length === 0 ? {} : { detail: kinds.join(", "), assessment: { found: counts } satisfies Assessment };
  const blocked = [...new Set(found.flatMap(({ kind }) => (kind?.action === "block" ? [kind.id] : [])))];
  if (blocked.length > 0) {
    return {
      type: "deny",
      reason: `The ${phase} holds personal data that is not permitted here: ${blocked.join(", ")}.`,
      ...told,
    };
  }
  const edits = found.flatMap(({ span, start, end, replacement }): SpanEdit[] =>
    replacement === undefined ? [] : [{ span, start, end, replacement }],
  );
  return edits.length === 0 ? { type: "pass", ...told } : { type: "rewrite", edits, ...told };
}

function textOf({ text }: TextSpan): string {
  return text;
}

/** Whether the text is a JSON object or array, so that what is put into it must be escaped. */
function isJsonText(text: string): boolean {
  if (!jsonBegin.test(text)) return false;
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

/** The same of a text that comes in parts: by its begin. */
function isJsonStream({ place, text, part }: TextSpan, known: Map<string, boolean>): boolean {
  const isKnown = known.get(place);
  if (isKnown !== undefined) return isKnown;
  const isJson = part?.from === 0 && jsonBegin.test(text);
  known.set(place, isJson);
  return isJson;
}

const jsonBegin = /^\s*(?:\{\s*["}]|\[\s*["{[\]\d])/;
