/** What a function finds wrong with a value. */
export interface RuleResult {
  readonly message: string;
  /** From the document's top; the value's own place when absent. */
  readonly path?: readonly (string | number)[];
}

/**
 * A function that rules may name, as Spectral calls it: with what `given` and `field` lead to, the rule's `functionOptions`
 * and the place. Pure. A value that it is not for is right.
 */
export type RuleFunction = (
  value: unknown,
  options: unknown,
  context: { readonly path: readonly (string | number)[] },
) => readonly RuleResult[];

/** A number of the options, or what stands for it. */
export function numberOption(options: unknown, name: string, usual: number): number {
  const value = isObject(options) ? options[name] : undefined;
  return typeof value === "number" ? value : usual;
}

/** A text of the options; undefined where there is none. */
export function textOption(options: unknown, name: string): string | undefined {
  const value = isObject(options) ? options[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects of a list, each with its place in it. */
export function objectsOf(value: unknown): readonly { readonly index: number; readonly item: PlainObject }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown, index) => (isObject(item) ? [{ index, item }] : []));
}

export type PlainObject = Readonly<Record<string, unknown>>;
