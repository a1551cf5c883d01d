/** Where a JSON object or array stands in a text: UTF-16 units, half-open. */
export interface FoundJson {
  readonly start: number;
  readonly end: number;
}

/**
 * The JSON objects and arrays in a text, in order: those that stand in no other. What begins like one and is none is
 * passed over, and what is whole inside of it is found. Reads by the grammar, so that braces in strings count for
 * nothing; time is linear in the text.
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
export function findJson(text: string): readonly FoundJson[] {
  const found: FoundJson[] = [];
  let open: Container[] = [];
  for (let at = 0; at < text.length; ) {
    const inner = open.at(-1);
    if (inner === undefined) {
      const start = nextBracket(text, at);
      if (start < 0) break;
      open = [container(text, start)];
      at = start + 1;
      continue;
    }
    const end = readToken(text, at, inner, open);
    if (end >= 0) {
      if (inner.state === "closed") close(open, found, end);
      at = end;
    } else {
      // A string that nothing may follow was perhaps none: it began with a quotation mark of the prose.
      found.push(...open.flatMap(({ members }) => members));
      at = inner.stringAt >= 0 ? inner.stringAt + 1 : at;
      open = [];
    }
  }
  return open.length === 0 ? found : [...found, ...open.flatMap(({ members }) => members)];
}

/** What may come next. */
type State = "first" | "name" | "colon" | "value" | "end" | "closed";

interface Container {
  readonly isObject: boolean;
  readonly start: number;
  state: State;
  /** Objects and arrays in it that are whole. */
  readonly members: FoundJson[];
  /** Where the string begins that was read last; -1 where it was something else. */
  stringAt: number;
}

function container(text: string, start: number): Container {
  return { isObject: text[start] === "{", start, state: "first", members: [], stringAt: -1 };
}

function nextBracket(text: string, from: number): number {
  const bracket = /[[{]/g;
  bracket.lastIndex = from;
  return bracket.exec(text)?.index ?? -1;
}

function close(open: Container[], found: FoundJson[], end: number): void {
  const { start } = open.pop() ?? { start: end };
  const outer = open.at(-1);
  if (outer === undefined) found.push({ start, end });
  else {
    outer.members.push({ start, end });
    outer.state = "end";
    outer.stringAt = -1;
  }
}

/** Reads blanks or what stands at `at`: where it ends, or -1 where it may not stand there. */
function readToken(text: string, at: number, inner: Container, open: Container[]): number {
  const sign = text.charAt(at);
  const { state, isObject } = inner;
  if (sign === " " || sign === "\n" || sign === "\r" || sign === "\t") return at + 1;
  if (sign === (isObject ? "}" : "]")) return state === "first" || state === "end" ? step(inner, "closed", at) : -1;
  if (state === "end") return sign === "," ? step(inner, isObject ? "name" : "value", at) : -1;
  if (state === "colon") return sign === ":" ? step(inner, "value", at) : -1;
  const isName = isObject && state !== "value";
  if (sign === '"') {
    const end = endOfString(text, at);
    inner.stringAt = at;
    if (end >= 0) inner.state = isName ? "colon" : "end";
    return end;
  }
  if (isName) return -1;
  if (sign === "{" || sign === "[") {
    open.push(container(text, at));
    return at + 1;
  }
  scalar.lastIndex = at;
  const end = scalar.test(text) ? scalar.lastIndex : -1;
  if (end >= 0) step(inner, "end", at);
  return end;
}

const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function step(inner: Container, state: State, at: number): number {
  inner.state = state;
  inner.stringAt = -1;
  return at + 1;
}

/** Behind the string's closing quotation mark; -1 where it has none, or something that no string may have. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return -1;
    if (code === 0x5c) {
      escape.lastIndex = at;
      if (!escape.test(text)) return -1;
      at = escape.lastIndex - 1;
    }
  }
  return -1;
}

const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
