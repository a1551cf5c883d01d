import fc from "fast-check";
import { expect, test } from "vitest";
import { findBegins } from "../../../src/guardrails/url/find-begins.ts";

/** What a begin is, as one pattern that looks at every place: what takes long, and is told by hand elsewhere. */
const begin =
  /https?:(?:\/|\\(?!u[0-9a-f]{4})){1,8}|https?:(?=[a-z0-9-]{1,63}\.[a-z0-9])|[a-z][a-z0-9+.-]{0,30}:[\\/]{2}|(?<![a-z0-9+.-])(?:(?:javascript|vbscript):|data:(?=[a-z]{1,20}\/))|(?<![a-z0-9@.-])www\.(?=[a-z0-9])|(?<=["'(=<])[\\/]{2}(?=[a-z0-9[])/gi;

const schemes = ["http", "https", "HTTP", "ftp", "git+ssh", "javascript", "vbscript", "data", "www.", "WwW.", "w"];
const signs = [
  ":",
  "/",
  "//",
  "\\",
  "\\\\",
  ":/",
  "://",
  ":\\/",
  "\\u0061",
  '"',
  "'",
  "(",
  "=",
  "<",
  "[",
  " ",
  ".",
  "-",
  "@",
];
const pieces = [...schemes, ...signs, "a", "b.c", "1", "text/html", "a".repeat(40), "é", "\ud83d", "\n"];

test("finds the begins that a pattern finds which looks at every place, wherever the last one had led to", () => {
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, fc.integer({ min: 0, max: 5 }), (text, skipped) => {
      const next = findBegins(text);
      for (let from = 0; ; ) {
        begin.lastIndex = from;
        const match = begin.exec(text);
        const expected = match === null ? undefined : { start: match.index, end: match.index + match[0].length };
        expect(next(from)).toEqual(expected);
        if (expected === undefined) break;
        from = Math.min(text.length, expected.end + skipped);
      }
    }),
    { numRuns: 5_000 },
  );
});

test.each([":", "a:", "www", "www.", '"//', "(/", "http:", "data:", `${"a".repeat(31)}:/`, "s:"])(
  "a million characters of %j are looked through in time that grows with the text only",
  (unit) => {
    const startMs = performance.now();
    const next = findBegins(unit.repeat(1_000_000 / unit.length));
    for (let at = next(0); at !== undefined; at = next(at.end));
    expect(performance.now() - startMs).toBeLessThan(10_000);
  },
  20_000,
);
