import { parseJson } from "../../kernel/parse-json.ts";

/** The values of one operation that models see as placeholders, and the way back. */
export interface Placeholders {
  /** True while nothing is hidden. */
  readonly isEmpty: boolean;
  /** `[EMAIL_1]`; of an equal value always the same, and never one that the client's own texts hold. */
  hide(label: string, value: string): string;
  /**
   * What stands for hidden values in a text, in order, each with what is to take its place. Whether it is JSON is asked once,
   * and only where it has any.
   */
  shown(text: string, isJson: () => boolean): readonly Shown[];
}

export interface Shown {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Longer than a placeholder can be, however it is written: in units. */
export const longestPlaceholder = 80;

/**
 * No placeholders yet. `texts` are the client's: what looks like a placeholder there is left to mean what it means. A value
 * that was hidden is restored where the model writes its placeholder in any case, with Markdown's backslashes, or as a
 * part of a URL; one that was never given out means nothing.
 */
export function createPlaceholders(texts: () => Iterable<string>): Placeholders {
  const byValue = new Map<string, string>();
  const values = new Map<string, string>();
  const counts = new Map<string, number>();
  let taken: ReadonlySet<string> | undefined;
  return {
    get isEmpty() {
      return values.size === 0;
    },
    hide(label, value) {
      const key = `${label} ${value}`;
      const known = byValue.get(key);
      if (known !== undefined) return `[${known}]`;
      taken ??= namesIn(texts());
      let count = counts.get(label) ?? 0;
      let name: string;
      do {
        count += 1;
        name = `${label}_${count}`;
      } while (taken.has(name));
      counts.set(label, count);
      byValue.set(key, name);
      values.set(name, value);
      return `[${name}]`;
    },
    shown(text, isJson) {
      if (values.size === 0) return [];
      const found: Shown[] = [];
      let isEscaped: boolean | undefined;
      for (const match of text.matchAll(placeholder)) {
        const value = values.get(nameOf(match[1] ?? ""));
        if (value === undefined) continue;
        const isEncoded = match[0].startsWith("%");
        if (!isEncoded) isEscaped ??= isJson();
        const replacement = isEncoded ? encodeURIComponent(value) : isEscaped === true ? jsonString(value) : value;
        found.push({ start: match.index, end: match.index + match[0].length, replacement });
      }
      return found;
    },
  };
}

/** The text as what it is in a string of JSON, without its quotes. */
function jsonString(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

/** A value found within JSON text, as what it means: without the escapes. */
export function meantByJson(raw: string): string {
  if (!raw.includes("\\")) return raw;
  try {
    const value: unknown = parseJson(`"${raw}"`);
    return typeof value === "string" ? value : raw;
  } catch {
    return raw;
  }
}

const placeholder = /(?:\\{0,2}\[ ?|%5b)((?:[a-z0-9]{1,32}\\{0,2}[_ -]){1,6}\d{1,7})(?:\\{0,2} ?\]|%5d)/gi;

function nameOf(written: string): string {
  return written.replaceAll("\\", "").replace(/[ -]/g, "_").toUpperCase();
}

function namesIn(texts: Iterable<string>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const text of texts) for (const match of text.matchAll(placeholder)) names.add(nameOf(match[1] ?? ""));
  return names;
}
