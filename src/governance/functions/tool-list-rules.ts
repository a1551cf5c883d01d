import type { PlainObject, RuleFunction, RuleResult } from "./rule-function.ts";
import { numberOption, objectsOf } from "./rule-function.ts";
import { textsIn } from "./texts-in.ts";

/** Functions that look at a server's list of tools as a whole. */
export const toolListRules: Readonly<Record<string, RuleFunction>> = {
  /** No two tools have names that differ in case or signs between words only. */
  distinctToolNames(value, _, { path }) {
    const seen = new Map<string, string>();
    return namedTools(value).flatMap(({ name, index }): RuleResult[] => {
      const key = name.toLowerCase().replace(/[^a-z0-9]/g, "");
      const other = seen.get(key);
      seen.set(key, other ?? name);
      return other === undefined ? [] : [{ message: `is the name of ${other} again`, path: [...path, index, "name"] }];
    });
  },

  /** No two tools say nearly the same of themselves. Option `share`: of the words that they have in common, 0 to 1. */
  distinctTools(value, options, { path }) {
    const share = numberOption(options, "share", 0.85);
    const tools = namedTools(value).map((tool) => ({ ...tool, words: wordsOf(tool.item) }));
    return tools.flatMap(({ index, words }, at): RuleResult[] => {
      const other =
        words.size < fewestWords ? undefined : tools.slice(0, at).find((each) => alike(words, each.words) >= share);
      if (other === undefined) return [];
      return [{ message: `says nearly the same as ${other.name}`, path: [...path, index, "description"] }];
    });
  },

  /** The list costs a model at most so many tokens. Options: `max` for the list, `maxEach` for one tool. */
  toolTokens(value, options, { path }) {
    const max = numberOption(options, "max", Number.POSITIVE_INFINITY);
    const maxEach = numberOption(options, "maxEach", Number.POSITIVE_INFINITY);
    const costs = objectsOf(value).map(({ index, item }) => ({ index, tokens: tokensOf(item) }));
    const sum = costs.reduce((total, { tokens }) => total + tokens, 0);
    const heavy = costs.filter(({ tokens }) => tokens > maxEach);
    return [
      ...(sum > max ? [{ message: `the list costs about ${sum} tokens, more than ${max}`, path }] : []),
      ...heavy.map(({ index, tokens }) => ({
        message: `costs about ${tokens} tokens, more than ${maxEach}`,
        path: [...path, index],
      })),
    ];
  },

  /** No tool speaks of another one of the list. */
  noToolReferences(value, _, { path }) {
    const tools = namedTools(value);
    const telling = tools
      .map(({ name }) => name)
      .filter((name) => /^.{4,}$/.test(name) && /[._-]|[a-z][A-Z]/.test(name));
    return tools.flatMap(({ name, index, item: { name: _own, ...rest } }) =>
      [...textsIn(rest)].flatMap(({ text, path: below, isName }): RuleResult[] => {
        const words = isName ? [] : (text.match(/[\w.-]*\w/g) ?? []);
        const other = words.find((word) => word !== name && telling.includes(word));
        return other === undefined
          ? []
          : [{ message: `speaks of the tool ${other}`, path: [...path, index, ...below] }];
      }),
    );
  },
};

interface NamedTool {
  readonly index: number;
  readonly item: PlainObject;
  readonly name: string;
}

function namedTools(value: unknown): readonly NamedTool[] {
  return objectsOf(value).flatMap(({ index, item }) => {
    const { name } = item;
    return typeof name === "string" ? [{ index, item, name }] : [];
  });
}

/** Of fewer words nothing can be told. */
const fewestWords = 5;

function wordsOf({ description }: PlainObject): ReadonlySet<string> {
  return new Set(typeof description === "string" ? (description.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []) : []);
}

/** The share of words that both have, of all that either has. */
function alike(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const all = left.union(right).size;
  return all === 0 ? 0 : left.intersection(right).size / all;
}

/** Of JSON a token is about four characters, which is near enough for a bound. */
function tokensOf(tool: PlainObject): number {
  return Math.ceil(JSON.stringify(tool).length / 4);
}
