/**
 * The known name that a mistyped one most likely meant, or undefined when none is near. Case is ignored; at most a
 * third of the letters may differ.
 */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance > Math.ceil(Math.max(typed.length, name.length) / 3)) continue;
    if (best === undefined || distance < best.distance) best = { name, distance };
  }
  return best?.name;
}

/** Text for the end of a message: `; did you mean "port"?`, or nothing. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const near = nearestName(typed, known);
  return near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
}

function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const above = previous[column] ?? 0;
      const before = current[column - 1] ?? 0;
      const diagonal = previous[column - 1] ?? 0;
      current.push(same ? diagonal : 1 + Math.min(above, before, diagonal));
    }
    previous = current;
  }
  return previous[right.length] ?? 0;
}
