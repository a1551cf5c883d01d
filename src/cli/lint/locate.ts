import type { Document, LineCounter } from "yaml";
import type { Finding, TextPosition } from "../../governance/finding.ts";
import { loadYaml } from "../../kernel/load-yaml.ts";

/** Where a member stands in a text; of one that is not there, what holds it. */
export type Locate = (path: readonly (string | number)[]) => Finding["range"];

/** The places of a parsed document. A member's begins at its name. */
export function locatorOf(document: Document.Parsed, lines: LineCounter): Locate {
  const { isMap, isSeq, isScalar, isNode } = loadYaml();
  const position = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(0, line - 1), character: Math.max(0, col - 1) };
  };
  const rangeOf = (start: unknown, end: unknown): Finding["range"] | undefined => {
    if (!isNode(start) || !start.range) return undefined;
    const last = isNode(end) && end.range ? end.range[1] : start.range[1];
    return { start: position(start.range[0]), end: position(last) };
  };
  return (path) => {
    let node: unknown = document.contents;
    let found = rangeOf(node, node);
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
        if (pair === undefined) break;
        found = rangeOf(pair.key, pair.value) ?? found;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
        if (node === undefined) break;
        found = rangeOf(node, node) ?? found;
      } else break;
    }
    return found ?? { start: position(0), end: position(0) };
  };
}
