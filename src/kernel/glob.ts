/**
 * A matcher for names by patterns in which `*` stands for any run of characters and `?` for one; all else is literal.
 * Matches the whole name, and its case. No pattern matches nothing.
 */
export function globMatcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.includes("*")) return () => true;
  const exact = new Set(patterns.filter((pattern) => !/[*?]/.test(pattern)));
  const wild = patterns.filter((pattern) => /[*?]/.test(pattern)).map((pattern) => Array.from(pattern));
  if (wild.length === 0) return (name) => exact.has(name);
  return (name) => {
    if (exact.has(name)) return true;
    const characters = Array.from(name); // as the patterns are: a character beyond the BMP is one, not two
    return wild.some((pattern) => matchesGlob(pattern, characters));
  };
}

// Greedy with one step back to the last star: linear for one star, quadratic at worst, never exponential.
function matchesGlob(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let tokenAt = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const token = pattern[tokenAt];
    if (token === "*") {
      star = tokenAt;
      starAt = at;
      tokenAt += 1;
    } else if (token === "?" || token === name[at]) {
      at += 1;
      tokenAt += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      tokenAt = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[tokenAt] === "*") tokenAt += 1;
  return tokenAt === pattern.length;
}
