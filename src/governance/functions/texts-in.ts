import { isObject } from "./rule-function.ts";

/** A text and its place below the value that was looked at. */
export interface PlacedText {
  readonly text: string;
  readonly path: readonly (string | number)[];
  /** It is a member's name, which models read as they read values. */
  readonly isName: boolean;
}

/** Deeper than any document that is read at all. */
const deepest = 200;

/** Every text in a value, however deep: descriptions in schemas, defaults, names of members. In the value's order. */
export function* textsIn(value: unknown, path: readonly (string | number)[] = []): Generator<PlacedText> {
  if (typeof value === "string") {
    yield { text: value, path, isName: false };
    return;
  }
  if (path.length > deepest) return;
  if (Array.isArray(value)) for (const [index, each] of value.entries()) yield* textsIn(each, [...path, index]);
  else if (isObject(value)) {
    for (const [name, each] of Object.entries(value)) {
      yield { text: name, path: [...path, name], isName: true };
      yield* textsIn(each, [...path, name]);
    }
  }
}
