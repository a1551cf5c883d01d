import type { SpanEdit, TextSpan } from "../../pipeline/define-guardrail.ts";
import type { OfferedTool } from "../../pipeline/offered-tools.ts";

/** A query, or a tool, that stands in a text between tags. */
interface Tagged {
  readonly span: number;
  readonly start: number;
  readonly end: number;
  /** The texts between the tags. */
  readonly inner: readonly { readonly start: number; readonly end: number }[];
}

/** Tools that stand in texts of a request. */
export interface TaggedTools {
  /** The texts of all of them, tags included. */
  readonly listing: Uint8Array;
  read(): readonly OfferedTool[];
  /** Takes the others out of the texts, and the tags of these. */
  edits(kept: ReadonlySet<number>): readonly SpanEdit[];
}

/** Tools as `<toolname>…</toolname><tooldescription>…</tooldescription>`, in order; undefined where there are none. */
export function findTaggedTools(spans: readonly TextSpan[]): TaggedTools | undefined {
  const found = spans.flatMap(({ text }, span) => findTools(text, span));
  if (found.length === 0) return undefined;
  const texts = found.map(({ span, start, end }) => Buffer.from(spans[span]?.text.slice(start, end) ?? ""));
  return {
    listing: Buffer.concat(texts),
    read() {
      let from = 0;
      return found.map(({ span, inner }, index) => {
        const [name = "", description = ""] = inner.map((at) => spans[span]?.text.slice(at.start, at.end).trim() ?? "");
        const at = [from, from + (texts[index]?.byteLength ?? 0)] as const;
        from = at[1];
        const facts = name === "" && description === "" ? undefined : { name, description };
        return { name: name === "" ? undefined : name, type: undefined, facts, index, at };
      });
    },
    edits: (kept) =>
      found.flatMap((each, index) => (kept.has(index) ? tagEdits(each) : [cut(each, spans[each.span]?.text ?? "")])),
  };
}

/** What stands between `<userq>` and `</userq>`, and the edits that take the tags away; undefined where they are not. */
export function findTaggedQuery(
  spans: readonly TextSpan[],
): { readonly text: string; readonly edits: readonly SpanEdit[] } | undefined {
  for (const [span, { text }] of spans.entries()) {
    const inner = between(text, "userq", 0);
    if (inner === undefined) continue;
    const found = { span, start: inner.start - "<userq>".length, end: inner.end + "</userq>".length, inner: [inner] };
    return { text: text.slice(inner.start, inner.end), edits: tagEdits(found) };
  }
  return undefined;
}

// By searching and not by a pattern: in a text of opening tags alone a lazy pattern takes quadratic time.
function findTools(text: string, span: number): readonly Tagged[] {
  const found: Tagged[] = [];
  let from = 0;
  for (;;) {
    const name = between(text, "toolname", from);
    if (name === undefined) return found;
    from = name.end + "</toolname>".length;
    while (/\s/.test(text.charAt(from))) from += 1;
    if (!text.startsWith("<tooldescription>", from)) continue;
    const description = between(text, "tooldescription", from);
    if (description === undefined) return found;
    from = description.end + "</tooldescription>".length;
    found.push({ span, start: name.start - "<toolname>".length, end: from, inner: [name, description] });
  }
}

function between(text: string, tag: string, from: number): { start: number; end: number } | undefined {
  const open = text.indexOf(`<${tag}>`, from);
  const start = open + tag.length + 2;
  const end = open < 0 ? -1 : text.indexOf(`</${tag}>`, start);
  return end < 0 ? undefined : { start, end };
}

/** Takes away what is not between the tags; a name and its description stay apart. */
function tagEdits({ span, start, end, inner }: Tagged): readonly SpanEdit[] {
  const edges = [start, ...inner.flatMap((each) => [each.start, each.end]), end];
  return inner
    .map((_, at) => ({ span, start: edges[2 * at] ?? 0, end: edges[2 * at + 1] ?? 0, replacement: at > 0 ? ": " : "" }))
    .concat([{ span, start: edges.at(-2) ?? 0, end, replacement: "" }]);
}

/** A tool on lines of its own goes with them. */
function cut({ span, start, end }: Tagged, text: string): SpanEdit {
  let to = end;
  if (start === 0 || text[start - 1] === "\n") while (text[to] === "\n") to += 1;
  return { span, start, end: to, replacement: "" };
}
