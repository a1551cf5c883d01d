import type { Redact } from "../pipeline/compile-capture.ts";
import { compileFinder } from "./pii/compile-finder.ts";
import type { PiiConfig } from "./pii/pii-config.ts";
import { piiConfig } from "./pii/pii-config.ts";
import { secretFinder, secretKinds } from "./secrets/find-secrets.ts";
import type { Finding } from "./text/find-in-parts.ts";

interface Found extends Finding {
  readonly kind: string;
}

type Find = (text: string) => readonly Found[];

/**
 * Takes out of texts what the guardrails `pii` and `secrets` find with their usual settings, and what `pii` finds with each
 * of these configurations, whatever they would do with it. A text is looked at by itself, and with its name before it.
 * Throws for a configuration that is none.
 */
export function createTextRedactor(configs: readonly unknown[]): Redact {
  const finders: readonly Find[] = [
    ...[{}, ...configs].map((config) => personalFinder(piiConfig.parse(config))),
    secretFinder({ kinds: new Set(secretKinds), allowed: new Set(), minBits: 3 }),
  ];
  return ({ text, name, keepUnits }) => {
    const found = finders.flatMap((find) => [...find(text), ...foundBehind(`${name}: `, text, find)]);
    return withoutFound(text, inOrder(found), keepUnits);
  };
}

/** Everything is looked for, also what the configuration leaves to others or puts back into answers. */
function personalFinder(config: PiiConfig): Find {
  const { find } = compileFinder({ ...config, action: "redact", entities: {}, custom: allOf(config) }, "request");
  return (text) => (find?.(text) ?? []).map(({ start, end, kind }) => ({ start, end, kind: kind.id }));
}

function allOf({ custom }: PiiConfig): PiiConfig["custom"] {
  return custom.map((entity) => ({ ...entity, action: "redact" as const }));
}

function foundBehind(head: string, text: string, find: Find): readonly Found[] {
  return find(head + text).flatMap(({ start, end, kind }) => {
    const from = Math.max(0, start - head.length);
    const to = end - head.length;
    return to > from ? [{ start: from, end: to, kind }] : [];
  });
}

/** Without overlaps: what touches becomes one. */
function inOrder(found: readonly Found[]): readonly Found[] {
  const sorted = found.toSorted((left, right) => left.start - right.start || right.end - left.end);
  const joined: Found[] = [];
  for (const next of sorted) {
    const last = joined.at(-1);
    if (last === undefined || next.start >= last.end) joined.push(next);
    else if (next.end > last.end) joined[joined.length - 1] = { ...last, end: next.end };
  }
  return joined;
}

function withoutFound(text: string, found: readonly Found[], keepUnits: number): ReturnType<Redact> {
  let kept = "";
  let from = 0;
  let count = 0;
  for (const { start, end, kind } of found) {
    if (start >= keepUnits) break;
    kept += `${text.slice(from, start)}[${kind}]`;
    from = end;
    count += 1;
  }
  return { text: kept + text.slice(from, Math.max(from, keepUnits)), found: count };
}
