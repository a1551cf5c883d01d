import { isWireObject } from "../member-reader.ts";
import { objectsOf, textOf } from "../wire-values.ts";

/** A piece of what a model said or thought. */
export interface ContentText {
  readonly type: "text" | "reasoning";
  readonly text: string;
}

/**
 * The texts in the `content` of an answer: a string as a rule; a list where Mistral's models think first.
 * @see https://docs.mistral.ai/capabilities/reasoning
 */
export function readContentTexts(content: unknown): readonly ContentText[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return objectsOf(content).flatMap((part): readonly ContentText[] => {
    if (part["type"] === "text") return [{ type: "text", text: textOf(part["text"]) }];
    if (part["type"] !== "thinking") return [];
    const thought = part["thinking"];
    const texts = Array.isArray(thought) ? thought.filter(isWireObject).map(({ text }) => textOf(text)) : [];
    return [{ type: "reasoning", text: texts.join("") }];
  });
}
