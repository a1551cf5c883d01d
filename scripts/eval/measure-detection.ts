import type { z } from "zod";
import type { GuardrailPlugin, SpanEdit } from "../../src/pipeline/define-guardrail.ts";
import type { PluginTools } from "../../src/pipeline/plugin.ts";
import { guardedCall } from "../../test/kit/guarded-call.ts";
import type { GeneratedText, Planted } from "./generate-texts.ts";

/** How a guardrail that redacts did with one kind. */
export interface KindFigures {
  readonly kind: string;
  readonly right: number;
  readonly missed: number;
  readonly wrong: number;
}

/** Runs the guardrail over all texts, once with each kind alone; `configure` gives the configuration for it. */
export function measureDetection<Config extends z.ZodType>(
  plugin: GuardrailPlugin<Config>,
  kinds: readonly string[],
  configure: (kind: string) => unknown,
  texts: readonly GeneratedText[],
  tools: PluginTools,
): readonly KindFigures[] {
  return kinds.map((kind) => {
    const guard = plugin.compile(plugin.config.parse(configure(kind)), tools);
    let [right, missed, wrong] = [0, 0, 0];
    for (const { text, planted } of texts) {
      const verdict = guard.inspect([{ place: "text", text, author: "user" }], "request", guardedCall());
      if (verdict instanceof Promise) throw new Error(`${plugin.id} answered with a promise`);
      const edits = verdict.type === "rewrite" ? verdict.edits : [];
      const own = planted.filter((each) => each.kind === kind);
      const found = own.filter((each) => edits.some((edit) => isSame(edit, each))).length;
      right += found;
      missed += own.length - found;
      wrong += edits.filter((edit) => !own.some((each) => isSame(edit, each))).length;
    }
    return { kind, right, missed, wrong };
  });
}

/** Precision and recall from 0 to 1 of several kinds together. */
export function totals(figures: readonly KindFigures[]): { readonly precision: number; readonly recall: number } {
  const sum = (of: "right" | "missed" | "wrong"): number => figures.reduce((total, each) => total + each[of], 0);
  const right = sum("right");
  return { precision: right / (right + sum("wrong")), recall: right / (right + sum("missed")) };
}

/** Nearly the same range: what both cover is seven tenths of what either does. */
function isSame({ start, end }: SpanEdit, planted: Planted): boolean {
  const shared = Math.min(end, planted.end) - Math.max(start, planted.start);
  return shared > 0 && shared / (Math.max(end, planted.end) - Math.min(start, planted.start)) >= 0.7;
}
