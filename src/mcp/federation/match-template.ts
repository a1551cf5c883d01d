/**
 * Whether a URI may have been made of a template (RFC 6570): the text between expressions must be there, in order. Linear,
 * and generous where a server alone knows what its variables stand for.
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const literals = literalsOf(template);
  if (literals === undefined) return false;
  const [first = "", ...rest] = literals;
  if (rest.length === 0) return uri === first;
  if (!uri.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let at = first.length;
  for (const literal of rest) {
    const found = uri.indexOf(literal, at);
    if (found < 0) return false;
    at = found + literal.length;
  }
  return uri.length - last.length >= at && uri.endsWith(last);
}

function literalsOf(template: string): string[] | undefined {
  const literals: string[] = [];
  let at = 0;
  for (;;) {
    const open = template.indexOf("{", at);
    if (open < 0) break;
    const close = template.indexOf("}", open);
    if (close < 0) return undefined;
    literals.push(template.slice(at, open));
    at = close + 1;
  }
  literals.push(template.slice(at));
  return literals;
}
