import type { z } from "zod";
import { GatewayError } from "../../kernel/errors.ts";
import type { SpanEdit } from "../../pipeline/define-guardrail.ts";

/** What the service has answered, or `upstream.invalid` where it has another form. */
export function readAnswer<Schema extends z.ZodType>(schema: Schema, answer: unknown, who: string): z.output<Schema> {
  const read = schema.safeParse(answer);
  if (read.success) return read.data;
  const at = read.error.issues[0]?.path.map(String).join(".") ?? "";
  throw new GatewayError("upstream.invalid", `${who}'s answer cannot be read.`, { detail: `at "${at}"` });
}

/** The one edit that makes `text` the other one, without what both begin and end with; none where they are equal. */
export function editTo(span: number, text: string, other: string): readonly SpanEdit[] {
  if (text === other) return [];
  const most = Math.min(text.length, other.length);
  let start = 0;
  while (start < most && text[start] === other[start]) start += 1;
  let same = 0;
  while (same < most - start && text.at(-1 - same) === other.at(-1 - same)) same += 1;
  // No border falls into a surrogate pair.
  if (/[\uD800-\uDBFF]/.test(text[start - 1] ?? "")) start -= 1;
  if (same > 0 && /[\uDC00-\uDFFF]/.test(text.at(-same) ?? "")) same -= 1;
  return [{ span, start, end: text.length - same, replacement: other.slice(start, other.length - same) }];
}

/** The results of calls for each item, in order, some at once; rejects with the first failure. */
export async function forEachAtOnce<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  call: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await call(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work));
  return results;
}
